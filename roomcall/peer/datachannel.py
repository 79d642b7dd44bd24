"""A data channel to one peer (W3C `RTCDataChannel`), with a bound on what waits in either
direction."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiortc import RTCDataChannel

from ..errors import RoomcallError

MAX_MESSAGE_BYTES = 262_144  # what aiortc says that it takes (RFC 8841 section 6)
MAX_UNSENT_BYTES = 1 << 20  # beyond it `send` waits
MAX_UNREAD = 1000  # messages; then the oldest is dropped


class DataChannel:
    """`label` names it. `dropped` counts messages that nobody took in time: the other end cannot
    be held up."""

    def __init__(
        self, channel: RTCDataChannel, on_message: Callable[[str | bytes], None] = lambda _: None
    ) -> None:
        self.label: str = channel.label
        self.dropped = 0
        self._channel = channel
        self._on_message = on_message
        self._unread: deque[str | bytes] = deque()
        self._changed = asyncio.Event()
        self._open = channel.readyState == "open"
        self._closed = channel.readyState == "closed"
        channel.bufferedAmountLowThreshold = MAX_UNSENT_BYTES // 2
        channel.on("open", self._on_open)
        channel.on("message", self._take)
        channel.on("bufferedamountlow", self._changed.set)
        channel.on("close", self.end)

    def __repr__(self) -> str:
        return f"<DataChannel {self.label} {self._channel.readyState}>"

    async def opened(self) -> None:
        """Wait until it can be written to. Raises `RoomcallError` where it is closed before."""
        await self._wait(lambda: self._open)

    async def send(self, data: str | bytes) -> None:
        """Waits while 1 MiB is unsent. Raises `RoomcallError` where it is closed, or the message
        has more than 262,144 bytes."""
        size = len(data.encode()) if isinstance(data, str) else len(data)
        if size > MAX_MESSAGE_BYTES:
            raise RoomcallError(
                f"a message of {size} bytes on {self.label} — send at most {MAX_MESSAGE_BYTES}"
            )
        await self._wait(
            lambda: self._open and self._channel.bufferedAmount <= MAX_UNSENT_BYTES - size
        )
        self._channel.send(data)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Messages, text as `str`. Ends when the channel is closed, by either end."""
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """May be called twice."""
        if not self._closed:
            self._channel.close()
            self.end()

    def end(self) -> None:
        """It is closed, or its connection is."""
        self._closed, self._open = True, False
        self._changed.set()

    async def _wait(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._closed:
                raise RoomcallError(f"the data channel {self.label} is closed — open another one")
            self._changed.clear()
            await self._changed.wait()

    def _on_open(self) -> None:
        self._open = True
        self._changed.set()

    def _take(self, data: Any) -> None:
        if len(self._unread) >= MAX_UNREAD:
            self._unread.popleft()
            self.dropped += 1
        self._unread.append(data)
        self._changed.set()
        self._on_message(data)
