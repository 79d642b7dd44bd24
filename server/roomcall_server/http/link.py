"""The receiving half of a WebSocket: aiohttp's connection gives it what comes after the handshake.

A message is handled where it is read, without a task or a queue in between, which would cost more
than the message. Only where its handling has to wait (a password, a disk) does it go on as a task,
and what comes meanwhile waits for that: `_MOST_WAITING` messages, then the socket is not read.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, Protocol

from ..clients.connection import Connection
from ..clients.cork import Cork
from ..logs import get_logger
from .frames import BINARY, CLOSE, NOT_UTF8, PING, PONG, TEXT, Frames, Violation

_MOST_WAITING = 64
_VIOLATION = -1  # in the place of an opcode: what follows makes no sense

log = get_logger("link")


class Listener(Protocol):
    """What a link brings its messages to. They are handled one after the other."""

    def take(self, message: str | bytes, size: int) -> Coroutine[Any, Any, None]:
        """A message of so many bytes. Until it first waits it runs outside of a task: there it can
        enter no `asyncio.timeout`."""

    def heard(self, payload: bytes) -> None:
        """A pong has come."""


class Link:
    """What aiohttp calls a parser of the bytes after an upgrade: `RequestHandler.set_parser`.

    `ended` is done when nothing more comes; it is true where the client has said goodbye. What
    comes before the first `serve` waits for it.
    """

    __slots__ = (
        "_connection", "_cork", "_deaf", "_frames", "_listener", "_lost", "_paused", "_transport",
        "_waiting", "_work", "ended",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport, cork: Cork, most: int) -> None:
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._transport = transport
        self._cork = cork
        self._frames = Frames(most)
        self._connection: Connection | None = None
        self._listener: Listener | None = None
        self._waiting: deque[tuple[int, bytes]] | None = None  # an empty one is not small
        self._work: asyncio.Task[None] | None = None
        self._paused = False
        self._deaf = False
        self._lost = False

    def serve(self, connection: Connection, listener: Listener) -> None:
        """From now on `listener` is told what comes."""
        self._connection, self._listener = connection, listener
        self._go_on()

    async def close(self) -> None:
        """Nothing is handled any more."""
        self._deaf, self._waiting = True, None
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    # What aiohttp asks of a parser

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        with self._cork:
            try:
                for opcode, payload in () if self._deaf else self._frames.feed(data):
                    self._come(opcode, payload)
            except Violation as violation:
                # What still comes is read, or a reset could overtake what we say.
                self._come(_VIOLATION, violation.code.to_bytes(2, "big"))
                self._deaf = True
        return False, b""

    def feed_eof(self) -> None:
        self._lost = True
        self._go_on()

    # In order

    def _come(self, opcode: int, payload: bytes) -> None:
        if self._deaf:
            return
        if self._connection is not None and self._work is None and not self._waiting:
            return self._handle(self._connection, opcode, payload)
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((opcode, payload))
        self._pause()

    def _go_on(self) -> None:
        """Take what waits, for as long as that does not itself have to wait."""
        if self._connection is None:
            return
        while self._waiting and self._work is None:
            self._handle(self._connection, *self._waiting.popleft())
        if not self._waiting:
            self._waiting = None
            if self._lost and self._work is None:
                self._end(False)
        self._pause()

    def _pause(self) -> None:
        full = self._waiting is not None and len(self._waiting) > _MOST_WAITING
        if full != self._paused and not self._transport.is_closing():
            self._paused = full
            (self._transport.pause_reading if full else self._transport.resume_reading)()

    def _handle(self, connection: Connection, opcode: int, payload: bytes) -> None:
        assert self._listener is not None
        if opcode == TEXT:
            try:
                message: str | bytes = payload.decode()
            except UnicodeDecodeError:
                return self._refuse(connection, NOT_UTF8)
        elif opcode == BINARY:
            message = payload
        else:
            return self._control(connection, self._listener, opcode, payload)
        work = self._listener.take(message, len(payload))
        try:
            awaited = work.send(None)  # at once, as far as that goes
        except StopIteration:
            return
        self._work = asyncio.create_task(_rest(work, awaited))
        self._work.add_done_callback(self._done)

    def _control(
        self, connection: Connection, listener: Listener, opcode: int, payload: bytes
    ) -> None:
        if opcode == PONG:
            listener.heard(payload)
        elif opcode == PING:
            connection.pong(payload)
        elif opcode == CLOSE:
            self._deaf, self._waiting = True, None
            self._end(connection.close_code is None)
        else:
            self._refuse(connection, int.from_bytes(payload, "big"))

    def _refuse(self, connection: Connection, code: int) -> None:
        self._deaf, self._waiting = True, None
        connection.close(code)

    def _done(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("message failed", exc_info=error)
            self._transport.abort()
        self._go_on()

    def _end(self, goodbye: bool) -> None:
        if not self.ended.done():
            self.ended.set_result(goodbye)


@coroutine
def _rest(work: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """What is left of work that waits for this already."""
    while True:
        value, thrown = None, None
        try:
            value = yield awaited
        except BaseException as error:
            thrown = error
        try:
            awaited = work.send(value) if thrown is None else work.throw(thrown)
        except StopIteration:
            return
