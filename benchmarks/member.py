"""One member of `benchmarks.mesh`, a process: 320×180 at 15 pictures a second and sound to all.

roomcall  nothing that comes is decoded
decoding  everything that comes is decoded
aiortc    as its documentation shows it: every connection encodes for itself, and decodes

It says `ready` when so many tracks have come as it was told. For each line on stdin it prints its
CPU seconds so far, and how many pictures and sounds have come of each other member.
"""

import asyncio
import itertools
import json
import sys
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import pi, sin

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay

import roomcall
from roomcall.media.source import AUDIO_CLOCK, AUDIO_SAMPLES, AUDIO_TIME_BASE
from roomcall.media.sources.file import sound_frame
from roomcall.signaling.base import MemberHere, Signal
from roomcall.signaling.room import JoinOptions, RoomClient

from .publisher import Pictures

SIZE, FPS = (320, 180), 15
ROOM = "mesh"


class Came:
    """How many frames of each member's kinds."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def add(self, key: str) -> None:
        self.counts[key] += 1
        if self.counts[key] == 1:
            self._changed.set()

    async def tracks(self, count: int) -> None:
        """Wait until something of so many has come."""
        while len(self.counts) < count:
            self._changed.clear()
            await self._changed.wait()


class Sound(MediaStreamTrack):
    """A tone, 20 ms each."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        wave = [round(8000 * sin(2 * pi * 440 * n / AUDIO_CLOCK)) for n in range(AUDIO_SAMPLES)]
        self._samples = array("h", [value for sample in wave for value in (sample, sample)])
        self._numbers = itertools.count()
        self._begun: float | None = None

    async def recv(self) -> av.AudioFrame:
        start = next(self._numbers) * AUDIO_SAMPLES
        now = asyncio.get_running_loop().time()
        self._begun = now if self._begun is None else self._begun
        await asyncio.sleep(self._begun + start / AUDIO_CLOCK - now)
        frame = sound_frame(self._samples.tobytes(), start)
        frame.time_base = AUDIO_TIME_BASE
        return frame


@asynccontextmanager
async def with_roomcall(server: str, *, sends: bool, decodes: bool) -> AsyncIterator[Came]:
    came = Came()
    tasks: set[asyncio.Task[None]] = set()

    async def count(key: str, track: roomcall.RemoteTrack) -> None:
        async for _ in track.frames() if decodes else track.packets():
            came.add(key)

    async def follow(call: roomcall.Call) -> None:
        async for event in call:
            if isinstance(event, roomcall.TrackAdded):
                work = count(f"{event.peer.id} {event.kind}", event.track)
                tasks.add(asyncio.create_task(work))

    sources = (Pictures(SIZE, FPS), Sound()) if sends else ("none", "none")
    async with roomcall.join(ROOM, server=server, video=sources[0], audio=sources[1]) as call:
        tasks.add(asyncio.create_task(follow(call)))
        yield came
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def with_aiortc(server: str, *, sends: bool, decodes: bool) -> AsyncIterator[Came]:
    assert sends and decodes, "it cannot do otherwise"
    came = Came()
    tasks: set[asyncio.Task[None]] = set()
    tracks, relay = (Pictures(SIZE, FPS), Sound()), MediaRelay()
    connections: dict[str, RTCPeerConnection] = {}
    client = RoomClient(server, ROOM, JoinOptions())

    async def count(key: str, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            came.add(key)

    def connection_with(id: str) -> RTCPeerConnection:
        connection = connections[id] = RTCPeerConnection(RTCConfiguration(iceServers=[]))

        @connection.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            tasks.add(asyncio.create_task(count(f"{id} {track.kind}", track)))

        for track in tracks:
            connection.addTrack(relay.subscribe(track))
        return connection

    async def say(type: str, to: str) -> None:
        await connections[to].setLocalDescription()
        payload = {"type": type, "sdp": connections[to].localDescription.sdp, "callId": "1"}
        await client.send(to, {"type": type, "payload": payload})

    async def follow() -> None:
        async for event in client:
            match event:
                case MemberHere(id, before=True):
                    connection_with(id)
                    await say("offer", id)
                case Signal(id, {"type": "offer" | "answer" as type, "payload": payload}):
                    connection = connections.get(id) or connection_with(id)
                    description = RTCSessionDescription(payload["sdp"], type)
                    await connection.setRemoteDescription(description)
                    if type == "offer":
                        await say("answer", id)

    await client.connect()
    tasks.add(asyncio.create_task(follow()))
    yield came
    for task in tasks:
        task.cancel()
    await client.close()


async def main(which: str, server: str, sends: bool, tracks: int) -> None:
    make = with_aiortc if which == "aiortc" else with_roomcall
    async with make(server, sends=sends, decodes=which != "roomcall") as came:
        await came.tracks(tracks)
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"cpu": time.process_time(), "came": came.counts}), flush=True)


if __name__ == "__main__":
    _, which, server, sends, tracks = sys.argv
    asyncio.run(main(which, server, sends == "sends", int(tracks)))
