"""What a rule answers with: the room as it is now, and what is to be told to whom."""

from datetime import datetime

from msgspec import Struct

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.replies import ChatMessage, LeaveReason, Reply

from .room import Room


class Send(Struct, frozen=True):
    """A message to these clients."""

    to: tuple[str, ...]
    message: Reply


class Keep(Struct, frozen=True):
    """A chat message that the room's history keeps."""

    message: ChatMessage


Effect = Send | Keep


class Outcome(Struct, frozen=True, kw_only=True):
    """`room` None: it has gone, and with `closed_at` its id stays away for a while.

    `entered` and `gone`: the clients whose list of rooms changes; a place in the queue is in that
    list too. `reason`: why the members among those who are gone have left. Effects reach every
    client in this order.
    """

    room: Room | None
    effects: tuple[Effect, ...] = ()
    entered: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    reason: LeaveReason | None = None
    closed_at: datetime | None = None


class Refused(Exception):
    """A rule says no: the code and text of the `error` reply."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def tell(to: tuple[str, ...], message: Reply) -> tuple[Effect, ...]:
    """The effect of telling them; none where there is nobody."""
    return (Send(to, message),) if to else ()


def tell_all(room: Room, asker: str, reply: Reply, news: Reply) -> tuple[Effect, ...]:
    """The reply to who asked, and the same, without its `requestId`, to the other members."""
    return (Send((asker,), reply), *tell(room.others(asker), news))
