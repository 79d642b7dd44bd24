"""The way of frames to one socket, which never waits for it.

Frames are put on the transport directly, one write a loop tick: a coroutine or a writer task for
each message costs more than the message. What a client does not take stays in the transport's
buffer, whose size we watch, so that a client that has stopped reading harms only itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from roomcall.protocol.errors import CloseCode

# RFC 6455 section 5.2: FIN and opcode; a server's frames are not masked.
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A


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

    def __init__(self, transport: asyncio.Transport, limits: QueueLimits, backlog: Backlog) -> None:
        self.close_code: int | None = None
        self.on_close: Callable[[int], None] | None = None  # told the code once `close` is decided
        self._transport = transport
        self._limits = limits
        self._backlog = backlog
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
        """A message. It is on its way at the end of this loop tick."""
        self._put(TEXT, frame)

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
        self._write()
        self._abort_later()
        if self.on_close is not None:
            self.on_close(code)

    def hang_up(self) -> None:
        """The client has ended it, or has answered our goodbye."""
        if not self.closing:
            self._put(CLOSE, CloseCode.NORMAL.to_bytes(2, "big"))
            self._write()
        self._transport.close()
        self._abort_later()  # where it does not even take what was sent before

    async def gone(self) -> None:
        """Wait until the client has hung up, or was cut off for not doing so."""
        while not self._transport.is_closing():  # noqa: ASYNC110 - no public event says it
            await asyncio.sleep(0.05)

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
        if self.close_code is not None or self._transport.is_closing():
            return
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending += (frame_header(opcode, len(payload)), payload)

    def _flush(self) -> None:
        self._write()
        waiting = self.waiting
        if waiting or self._noted:
            self._noted = waiting
            self._backlog.note(self, waiting)
        if waiting > self._limits.hard:
            self.close(CloseCode.TOO_SLOW)
        elif waiting > self._limits.soft and self._watch is None:
            self._drained = self._written - waiting
            self._moved_at = self._loop.time()
            self._watch_later()

    def _write(self) -> None:
        if self._pending and not self._transport.is_closing():
            data = b"".join(self._pending)
            self._written += len(data)
            self._transport.write(data)
        self._pending.clear()

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
