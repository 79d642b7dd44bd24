"""One client of this process: its id, what is on its way to it, and the socket it has now."""

import asyncio

from roomcall.protocol import codec
from roomcall.protocol.outbox import Outbox
from roomcall.protocol.replies import ClientId, Reply

from .connection import Connection, Frame, framed
from .rate import Pace


class Client:
    """`received` counts what has come from it, `lost_at` what had been sent when its connection
    was lost. `connection` is None while it has none.

    `restored`: a former process had it, whose counts are not known. `counting`: that goes on from
    what the client has said. `token` is what it resumes with, known once it has.

    `moved`: another node has it now.

    `turn` is held while a message of it is handled: its loss, its return and its end come after.
    """

    def __init__(
        self,
        id: str,
        token_hash: str,
        outbox: Outbox,
        rate: Pace,
        *,
        direct: bool,
        restored: bool = False,
    ) -> None:
        self.id = id
        self.token_hash = token_hash
        self.token = ""
        self.address = ""
        self.outbox = outbox
        self.rate = rate
        self.direct = direct
        self.restored = restored
        self.counting = not restored
        self.connection: Connection | None = None
        self.received = 0
        self.lost_at = 0
        self.moved = False
        self.turn = asyncio.Lock()
        self.timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def gap(self) -> bool:
        """It may have missed something, and has said nothing yet that shows it knows."""
        return self.restored and not self.received

    def greet(self, message: ClientId) -> None:
        """The first message of a connection, which no end counts."""
        if self.connection is not None:
            self.connection.send(framed(codec.encode(message)))

    def send(self, message: Reply) -> None:
        self.send_frame(framed(codec.encode(message)))

    def send_frame(self, frame: Frame) -> None:
        """A message that is framed already, as what goes to many is."""
        self.outbox.add(frame)
        if self.connection is not None:
            self.connection.send(frame)

    def set_timer(self, name: str, timer: asyncio.TimerHandle | None) -> None:
        """In the place of the one of that name; None for none."""
        if old := self.timers.pop(name, None):
            old.cancel()
        if timer is not None:
            self.timers[name] = timer
