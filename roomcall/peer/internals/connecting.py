"""A connection that is closed while it is still being made.

aiortc begins connecting in a task that it does not keep. Where `close` comes first, it goes on all
the same: with senders that were stopped before they started, and with checks on closed sockets.
"""

import asyncio

from aiortc import RTCConfiguration, RTCPeerConnection


class PeerConnection(RTCPeerConnection):
    """Its connecting has ended before it closes."""

    def __init__(self, configuration: RTCConfiguration) -> None:
        super().__init__(configuration)
        self._connecting: set[asyncio.Task[None]] = set()

    async def _RTCPeerConnection__connect(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "aiortc makes one of it"
        self._connecting.add(task)
        try:
            await super()._RTCPeerConnection__connect()  # type: ignore[misc]
        finally:
            self._connecting.discard(task)

    async def close(self) -> None:
        tasks = list(self._connecting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().close()
