"""The end of a connection.

aiortc begins connecting in a task that it does not keep. Where `close` comes first, it goes on all
the same: with senders that were stopped before they started, and with checks on closed sockets.

Its parts refer to each other in many circles. Python's collector finds those only now and then, so
that somebody whose guests come and go would hold some hundred KiB of each for a long while.
"""

import asyncio
from collections.abc import Iterable

from aiortc import RTCConfiguration, RTCPeerConnection

_LAST = 1.0  # seconds in which what has been closed comes to rest


class PeerConnection(RTCPeerConnection):
    """Its connecting has ended before it closes. Some time after it is taken apart, and cannot be
    asked anything any more."""

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
        asyncio.get_running_loop().call_later(_LAST, _take_apart, list(self._parts()))

    def _parts(self) -> Iterable[object]:
        transceivers = self.getTransceivers()
        above = [transceiver.receiver for transceiver in transceivers]
        for dtls in {user.transport for user in (*above, self.sctp) if user is not None}:
            yield from (dtls, dtls.transport, dtls.transport.iceGatherer)
        yield from above
        yield from (transceiver.sender for transceiver in transceivers)
        yield from transceivers
        if self.sctp is not None:
            yield self.sctp
        yield self


def _take_apart(parts: list[object]) -> None:
    for part in parts:
        vars(part).clear()
