"""What comes from one peer: packets counted, frames put together and timed, tracks for the user."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..media.codecs import is_key_frame, picture_size
from ..media.source import AUDIO_CLOCK, VIDEO_CLOCK, Kind
from ..stats import Inbound, PacketCounter
from .internals import ReceiverTap
from .listener import PeerListener
from .measuring import Measuring
from .playout import PlayoutClock
from .track import RemoteTrack
from .watching import Watching

if TYPE_CHECKING:
    from .peer import Peer


class Reception:
    """Outlives connections: a new one carries the tracks that the user holds on."""

    def __init__(
        self,
        peer: "Peer",
        listener: PeerListener,
        request_key_frame: Callable[[Kind], Awaitable[bool]],
        *,
        measure: bool,
        watch: bool,
    ) -> None:
        self.tracks: dict[Kind, RemoteTrack] = {}
        self.inbound: dict[Kind, Inbound] = {}
        self._peer = peer
        self._listener = listener
        self._request_key_frame = request_key_frame
        self._loop = asyncio.get_running_loop()
        self.clock = PlayoutClock()
        self._current: dict[Kind, _Tap] = {}
        self._numbers = itertools.count()
        self._measuring = Measuring(self._is_tied) if measure else None
        self._watching = Watching() if watch else None

    def add_track(self, kind: Kind, codec: str) -> None:
        """The peer sends this; known already where an earlier connection had it."""
        if kind in self.tracks:
            return

        async def request_key_frame() -> None:
            await self._request_key_frame(kind)

        track = self.tracks[kind] = RemoteTrack(self._peer, kind, codec, request_key_frame)
        if self._measuring is not None:
            self._measuring.watch(track)
        if self._watching is not None:
            self._watching.watch(track)
        self._listener.track_added(self._peer, track)

    def tap(self, kind: Kind) -> ReceiverTap:
        """For the receiver of a new connection. What an old one brings counts until the new one has
        a frame to begin with."""
        tap = _Tap(self, kind, next(self._numbers))
        if kind not in self._current:
            self._current[kind] = tap
            self.inbound[kind] = Inbound(kind, tap.packets)
        return tap

    def measured(self) -> dict[str, Any]:
        """What is known only where it is decoded."""
        result: dict[str, Any] = {}
        if self._measuring is not None:
            result |= self._measuring.report()
        if self._watching is not None:
            result["content"] = self._watching.report()
        return result

    def _is_tied(self) -> bool:
        """Whether picture and sound are on one clock."""
        return self.clock.is_tied("video") and self.clock.is_tied("audio")

    async def end(self) -> None:
        for track in self.tracks.values():
            track.end()
        for inbound in self.inbound.values():
            inbound.frames.end()
        if self._measuring is not None:
            await self._measuring.close()
        if self._watching is not None:
            await self._watching.close()

    def take(self, tap: "_Tap", codec: str, data: bytes, timestamp: int) -> None:
        """A whole frame has come."""
        kind, inbound = tap.kind, self.inbound[tap.kind]
        track = self.tracks.get(kind)
        if track is None:  # media came before the description was through
            return
        keyframe = is_key_frame(codec, data)
        if tap is not self._current[kind]:
            if not keyframe or tap.number < self._current[kind].number:
                return
            self._take_over(tap, inbound)
        now = self._loop.time()
        tap.torn = tap.torn and not keyframe
        time = self.clock.time(kind, tap.packets.clock_rate, timestamp, now)
        track.deliver(codec, data, timestamp, time, keyframe=keyframe)
        first = inbound.frames.frames_received == 0
        inbound.frames.add(now, key_frame=keyframe and kind == "video", shown=not tap.torn)
        size = picture_size(codec, data) if keyframe else None
        if size is not None:
            inbound.frame_width, inbound.frame_height = size
        inbound.codec = codec
        if first:
            self._listener.first_frame(self._peer, kind, size)

    def report(self, tap: "_Tap", ntp: float, timestamp: int) -> None:
        if tap is self._current[tap.kind]:
            self.clock.report(tap.kind, ntp, timestamp)

    def lose(self, tap: "_Tap") -> None:
        """Frames of it are lost for good."""
        tap.torn = tap.kind == "video"
        if tap is self._current[tap.kind] and (track := self.tracks.get(tap.kind)):
            track.lose()

    def _take_over(self, tap: "_Tap", inbound: Inbound) -> None:
        tap.packets.continue_from(inbound.packets)
        inbound.packets = tap.packets
        self._current[tap.kind] = tap
        self.clock.forget(tap.kind)


class _Tap(ReceiverTap):
    """On one receiver of one connection."""

    def __init__(self, reception: Reception, kind: Kind, number: int) -> None:
        self.kind: Kind = kind
        self.number = number  # later connections have higher ones
        self.packets = PacketCounter(VIDEO_CLOCK if kind == "video" else AUDIO_CLOCK)
        self.torn = False  # what comes builds on what was lost
        self._reception = reception
        self._now = asyncio.get_running_loop().time

    def on_packet(
        self, sequence: int, timestamp: int, size: int, repair: bool, clock_rate: int
    ) -> None:
        self.packets.add(sequence, timestamp, size, self._now(), repair)

    def on_frame(self, codec: str, data: bytes, timestamp: int) -> None:
        self._reception.take(self, codec, data, timestamp)

    def on_report(self, ntp: float, timestamp: int) -> None:
        self._reception.report(self, ntp, timestamp)

    def on_nack(self) -> None:
        self._reception.inbound[self.kind].nack_count += 1

    def on_pli(self) -> None:
        self._reception.inbound[self.kind].pli_count += 1

    def on_gap(self) -> None:
        self._reception.lose(self)
