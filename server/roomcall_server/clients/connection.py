"""The way of frames to one socket, which never waits for it.

Frames are put on the transport directly, when the `Cork` says so: a coroutine or a writer task for
each message costs more than the message. What a client does not take stays in the transport's
buffer, whose size we watch, so that a client that has stopped reading harms only itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType

from roomcall.protocol.errors import CloseCode

from .cork import Cork

# RFC 6455 section 5.2: FIN and opcode; a server's frames are not masked.
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A

Frame = NewType("Frame", bytes)  # a message as it goes to a socket, or to many

_LITTLE = 65_536  # bytes
_MEDIUM_TEXT = bytes((TEXT, 126))


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much of what was sent may wait, in bytes, and how long nothing may move, in seconds.

    `total` is for all clients together.
    """

    soft: int = 1 << 20
    hard: int = 16 << 20
    total: int = 256 << 20
    stall: float = 5.0
    close_timeout: float = 2.0


def frame_header(opcode: int, length: int) -> bytes:
    """See RFC 6455 section 5.2."""
    if length < 126:
        return bytes((opcode, length))
    if length < 65_536:
        return bytes((opcode, 126)) + length.to_bytes(2, "big")
    return bytes((opcode, 127)) + length.to_bytes(8, "big")


def framed(message: bytes) -> Frame:
    size = len(message)
    if 126 <= size < 65_536:  # as most are
        return Frame(_MEDIUM_TEXT + size.to_bytes(2, "big") + message)
    return Frame(frame_header(TEXT, size) + message)


class Backlog:
    """What waits to be taken by all clients together. Past its bound the fullest is closed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Connection, int] = {}
        self._total = 0

    def note(self, connection: "Connection", waiting: int) -> None:
        self._total += waiting - self._waiting.pop(connection, 0)
        if waiting:
            self._waiting[connection] = waiting
        if self._total > self._most:
            self._relieve()

    def _relieve(self) -> None:
        """What was noted may have been taken since."""
        found = {connection: connection.waiting for connection in self._waiting}
        self._waiting = {connection: waiting for connection, waiting in found.items() if waiting}
        self._total = sum(self._waiting.values())
        if self._total > self._most:
            fullest = max(self._waiting, key=lambda connection: self._waiting[connection])
            fullest.close(CloseCode.TOO_SLOW)


class Connection:
    """One WebSocket's sending half. Every method returns at once."""

    def __init__(
        self, transport: asyncio.Transport, limits: QueueLimits, backlog: Backlog, cork: Cork
    ) -> None:
        self.close_code: int | None = None
        self.on_close: Callable[[int], None] | None = None  # told the code once `close` is decided
        self._transport = transport
        self._limits = limits
        self._backlog = backlog
        self._cork = cork
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        self._written = 0
        self._drained = 0
        self._moved_at = 0.0
        self._noted = 0
        self._watch: asyncio.TimerHandle | None = None

    @property
    def closing(self) -> bool:
        """Nothing more is sent, and nothing that comes is taken."""
        return self.close_code is not None or self._transport.is_closing()

    @property
    def waiting(self) -> int:
        """How many bytes the client has still to take; what is being closed is as good as gone."""
        return 0 if self.closing else self._transport.get_write_buffer_size()

    def send(self, frame: bytes) -> None:
        """A `Frame`, also as an outbox kept it. It is on its way at the end of this loop tick."""
        if self.close_code is None:
            if not self._pending:
                self._cork.add(self)
            self._pending.append(frame)

    def ping(self, payload: bytes) -> None:
        self._put(PING, payload)

    def pong(self, payload: bytes) -> None:
        self._put(PONG, payload)

    def close(self, code: int) -> None:
        """Say why, after all that was sent; cut the line where the client does not answer."""
        if self.closing:
            return
        self._put(CLOSE, code.to_bytes(2, "big"))
        self.close_code = code
        self.flush()
        self._abort_later()
        if self.on_close is not None:
            self.on_close(code)

    def hang_up(self) -> None:
        """The client has ended it, or has answered our goodbye."""
        if not self.closing:
            self._put(CLOSE, CloseCode.NORMAL.to_bytes(2, "big"))
            self.flush()
        self._transport.close()
        self._abort_later()  # where it does not even take what was sent before

    def abort(self) -> None:
        self._transport.abort()

    def dispose(self) -> None:
        """Nobody serves it any more: end what still watches it."""
        if self._watch is not None:
            self._watch.cancel()
        self._backlog.note(self, 0)

    def _abort_later(self) -> None:
        self._loop.call_later(self._limits.close_timeout, self._transport.abort)

    def _put(self, opcode: int, payload: bytes) -> None:
        self.send(frame_header(opcode, len(payload)) + payload)

    def flush(self) -> None:
        """Write what was sent: the cork calls it."""
        pending, transport = self._pending, self._transport
        if not pending:
            return
        if transport.is_closing():
            return pending.clear()
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        before = transport.get_write_buffer_size()
        transport.write(data)
        # A loop may itself wait with the last write, so that alone is no backlog.
        if before or self._noted or len(data) > _LITTLE:
            self._look_back(len(data))

    def _look_back(self, written: int) -> None:
        self._written += written
        waiting = self._noted = self.waiting
        self._backlog.note(self, waiting)
        if waiting > self._limits.hard:
            self.close(CloseCode.TOO_SLOW)
        elif waiting > self._limits.soft and self._watch is None:
            self._drained = self._written - waiting
            self._moved_at = self._loop.time()
            self._watch_later()

    def _watch_later(self) -> None:
        self._watch = self._loop.call_later(self._limits.stall / 4, self._look)

    def _look(self) -> None:
        """Is what waits still moving?"""
        self._watch = None
        waiting = self._transport.get_write_buffer_size()
        if self.closing or waiting <= self._limits.soft:
            return
        now = self._loop.time()
        if self._written - waiting > self._drained:
            self._drained = self._written - waiting
            self._moved_at = now
        elif now - self._moved_at >= self._limits.stall:
            return self.close(CloseCode.TOO_SLOW)
        self._watch_later()
