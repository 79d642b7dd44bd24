"""What a rule answers with: the room as it is now, and what is to be told to whom."""

from msgspec import Struct

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.replies import Reply

from .room import Room


class Send(Struct, frozen=True):
    """A message to these clients."""

    to: tuple[str, ...]
    message: Reply


Effect = Send


class Outcome(Struct, frozen=True, kw_only=True):
    """`room` None: it has vanished. `entered` and `gone`: clients whose list of rooms changes.

    Effects reach every client in this order.
    """

    room: Room | None
    effects: tuple[Effect, ...] = ()
    entered: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Refused(Exception):
    """A rule says no: the code and text of the `error` reply."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def tell(to: tuple[str, ...], message: Reply) -> tuple[Effect, ...]:
    """The effect of telling them; none where there is nobody."""
    return (Send(to, message),) if to else ()
