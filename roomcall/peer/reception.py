"""What comes from one peer: packets counted, frames put together and timed, tracks for the user."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..media.codecs import picture_size
from ..media.source import AUDIO_CLOCK, VIDEO_CLOCK, Kind
from ..stats import Inbound, PacketCounter
from .aiortc_internals import ReceiverTap
from .listener import PeerListener
from .playout import PlayoutClock
from .track import RemoteTrack

if TYPE_CHECKING:
    from .peer import Peer


class Reception:
    """Outlives connections: a new one carries the tracks that the user holds on."""

    def __init__(
        self,
        peer: "Peer",
        listener: PeerListener,
        request_key_frame: Callable[[Kind], Awaitable[bool]],
    ) -> None:
        self.tracks: dict[Kind, RemoteTrack] = {}
        self.inbound: dict[Kind, Inbound] = {}
        self._peer = peer
        self._listener = listener
        self._request_key_frame = request_key_frame
        self._loop = asyncio.get_running_loop()
        self._clock = PlayoutClock()

    def add_track(self, kind: Kind, codec: str) -> None:
        """The peer sends this; known already where an earlier connection had it."""
        if kind in self.tracks:
            return

        async def request_key_frame() -> None:
            if await self._request_key_frame(kind):
                self.inbound[kind].pli_count += 1

        track = self.tracks[kind] = RemoteTrack(self._peer, kind, codec, request_key_frame)
        self._listener.track_added(self._peer, track)

    def tap(self, kind: Kind) -> ReceiverTap:
        """For the receiver of a new connection."""
        clock_rate = VIDEO_CLOCK if kind == "video" else AUDIO_CLOCK
        inbound = self.inbound.get(kind)
        if inbound is None:
            inbound = self.inbound[kind] = Inbound(kind, PacketCounter(clock_rate))
        inbound.packets.restart()
        self._clock.forget(kind)

        def on_packet(sequence: int, timestamp: int, size: int, repair: bool, rate: int) -> None:
            inbound.packets.add(sequence, timestamp, size, self._loop.time(), repair)

        def on_frame(codec: str, data: bytes, timestamp: int) -> None:
            self._on_frame(inbound, kind, codec, data, timestamp)

        def on_report(ntp: float, timestamp: int) -> None:
            self._clock.report(kind, ntp, timestamp)

        return ReceiverTap(on_packet, on_frame, on_report, on_end=lambda: None)

    def end(self) -> None:
        for track in self.tracks.values():
            track.end()

    def _on_frame(
        self, inbound: Inbound, kind: Kind, codec: str, data: bytes, timestamp: int
    ) -> None:
        now = self._loop.time()
        track = self.tracks.get(kind)
        if track is None:  # media came before the description was through
            return
        track.codec = codec
        clock_rate = inbound.packets.clock_rate
        time = self._clock.time(kind, clock_rate, timestamp, now)
        keyframe = track.deliver(data, timestamp, time)
        first = inbound.frames.frames_received == 0
        inbound.frames.add(now, keyframe and kind == "video")
        size = picture_size(codec, data) if keyframe else None
        if size is not None:
            inbound.frame_width, inbound.frame_height = size
        if first:
            self._listener.first_frame(self._peer, kind, size)
