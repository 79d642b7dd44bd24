"""A bot that sends each member its own picture and sound back, and to nobody else."""

import asyncio
from collections import deque
from contextlib import aclosing
from typing import Any

import av

from .. import events
from ..bot import Bot
from ..media.source import AUDIO_TIME_BASE, VIDEO_TIME_BASE, Kind, SourceEnded, Sources
from ..peer.peer import Peer
from ..peer.track import EncodedFrame, RemoteTrack

MAX_DELAY = 60.0  # seconds
KEY_FRAME_RETRY = 0.5  # seconds
_PACKETS_A_SECOND = 250  # at most; then the oldest is dropped


class Echo(Bot):
    """Nothing is decoded: what came goes out, after `delay` seconds (0 to 60)."""

    def __init__(self, delay: float = 0.0) -> None:
        if not 0 <= delay <= MAX_DELAY:
            raise ValueError(f"a delay of {delay:g} s is not between 0 and {MAX_DELAY:g} s")
        self.delay = delay
        self._sources: dict[Peer, dict[Kind, EchoSource]] = {}

    def join_options(self) -> dict[str, Any]:
        own = {"sources_for": self._sources_for, "measure": False}  # nothing is decoded
        return super().join_options() | own

    def _sources_for(self, peer: Peer) -> Sources:
        clock = _Clock(peer)
        picture, sound = (EchoSource(kind, clock, self.delay) for kind in ("video", "audio"))
        self._sources[peer] = {"video": picture, "audio": sound}
        return Sources(picture, sound)

    async def on_track_added(self, event: events.TrackAdded) -> None:
        if (sources := self._sources.get(event.peer)) is not None:
            sources[event.kind].follow(event.track)

    async def on_peer_left(self, event: events.PeerLeft) -> None:
        self._sources.pop(event.peer, None)


class _Clock:
    """Ties a peer's clock to the event loop's, once: for its picture and its sound."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._origin: float | None = None

    def time_of(self, frame: EncodedFrame) -> float:
        """`loop.time()` at which it was made, so far as is known."""
        if self._origin is None:
            self._origin = self._peer.clock.origin or 0.0
        return self._origin + frame.time


class EchoSource:
    """Implements `LiveSource`: the packets of a track, once it is there."""

    def __init__(self, kind: Kind, clock: _Clock, delay: float) -> None:
        self.kind: Kind = kind
        self._clock = clock
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._track: RemoteTrack | None = None
        self.codec = ""  # of the packet that was given last
        self._held: deque[tuple[float, str, EncodedFrame]] = deque(
            maxlen=round((delay + 1) * _PACKETS_A_SECOND)
        )
        self._arrived = asyncio.Event()
        self._torn = kind == "video"  # what comes builds on what is not there
        self._ended = False
        self._asked = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, track: RemoteTrack) -> None:
        """Give what comes on it from now on."""
        if self._track is None and not self._ended:
            self._track = track
            self._spawn(self._read(track))

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, when its delay is over."""
        while not self._held:
            if self._ended:
                raise SourceEnded
            self._arrived.clear()
            await self._arrived.wait()
        due, self.codec, frame = self._held.popleft()
        await asyncio.sleep(due - self._loop.time())
        packet = av.Packet(frame.data)
        packet.time_base = VIDEO_TIME_BASE if self.kind == "video" else AUDIO_TIME_BASE
        time = self._clock.time_of(frame) + self._delay
        packet.pts = packet.dts = round(time / packet.time_base)
        packet.is_keyframe = frame.keyframe
        return packet

    def request_key_frame(self) -> None:
        """Of the sender, a few times a second at most."""
        now = self._loop.time()
        if self._track is not None and now - self._asked >= KEY_FRAME_RETRY:
            self._asked = now
            self._spawn(self._track.request_key_frame())

    async def close(self) -> None:
        self._ended = True
        self._arrived.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, track: RemoteTrack) -> None:
        async with aclosing(track.packets()) as packets:
            async for frame in packets:
                full = len(self._held) == self._held.maxlen
                torn = self._torn or frame.gap or full
                self._torn = torn and self.kind == "video" and not frame.keyframe
                if self._torn:
                    self.request_key_frame()
                    continue
                self._held.append((self._loop.time() + self._delay, track.codec, frame))
                self._arrived.set()
        self._ended = True
        self._arrived.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work, name=f"roomcall-echo-{self.kind}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
