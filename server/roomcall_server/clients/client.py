"""One client of this process: its id, what is on its way to it, and the socket it has now."""

import asyncio

from roomcall.protocol import codec
from roomcall.protocol.replies import ClientId, Reply

from .connection import Connection
from .outbox import Outbox


class Client:
    """`received` counts what has come from it. `connection` is None once it has ended.

    `turn` is held while a message of it is handled, so that its end comes after that.
    """

    def __init__(self, id: str, outbox: Outbox, connection: Connection) -> None:
        self.id = id
        self.outbox = outbox
        self.connection: Connection | None = connection
        self.received = 0
        self.turn = asyncio.Lock()

    def greet(self, message: ClientId) -> None:
        """The first message of a connection, which no end counts."""
        if self.connection is not None:
            self.connection.send(codec.encode(message))

    def send(self, message: Reply) -> None:
        self.send_frame(codec.encode(message))

    def send_frame(self, frame: bytes) -> None:
        """A message that is encoded already, as what goes to many is."""
        self.outbox.add(frame)
        if self.connection is not None:
            self.connection.send(frame)
