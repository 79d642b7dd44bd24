"""The publisher that `benchmarks.fanout` measures: one process, one picture to everybody.

`roomcall` publishes as the library does; `aiortc` as its documentation shows it: a `MediaRelay`,
and with every peer an `RTCPeerConnection` that encodes for itself. Signaling and pictures are the
same.
"""

import asyncio
import itertools
import random
import sys
from fractions import Fraction

import av
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.contrib.media import MediaRelay

import roomcall
from roomcall.media.sources.testcard import TestCard
from roomcall.signaling.base import Signal
from roomcall.signaling.room import JoinOptions, RoomClient

NAME = "publisher"
BITRATE = 1_000_000  # where aiortc's encoder begins
FPS = 30


class Pictures(VideoStreamTrack):
    """A moving picture, 30 times a second. A strip of it is noise, never twice the same, so that an
    encoder needs the bitrate that it has."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self._card = TestCard(size, Fraction(FPS))
        self._numbers = itertools.count()
        self._random = random.Random(1)
        self._noise = self._random.randbytes(size[0] * size[1])

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = self._card.frame(next(self._numbers), 0.0)
        luma = memoryview(frame.planes[0])
        strip = len(luma) // 8
        offset = self._random.randrange(len(self._noise) - strip)
        luma[:strip] = self._noise[offset : offset + strip]
        frame.pts, frame.time_base = pts, time_base
        return frame


async def publish_with_roomcall(server: str, room: str, size: tuple[int, int]) -> None:
    async with roomcall.join(
        room,
        server=server,
        name=NAME,
        video=Pictures(size),
        audio="none",
        video_codec="h264",
        video_bitrate=BITRATE,
    ) as call:
        print("ready", flush=True)
        async for _ in call:
            pass


async def publish_with_aiortc(server: str, room: str, size: tuple[int, int]) -> None:
    pictures, relay = Pictures(size), MediaRelay()
    client = RoomClient(server, room, JoinOptions(NAME))
    connections: list[RTCPeerConnection] = []
    await client.connect()
    print("ready", flush=True)
    try:
        async for event in client:
            if isinstance(event, Signal) and event.message["type"] == "offer":
                connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
                connections.append(connection)
                offer = event.message["payload"]
                await connection.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
                connection.addTrack(relay.subscribe(pictures))
                _prefer_h264(connection)
                await connection.setLocalDescription()
                answer = {"type": "answer", "sdp": connection.localDescription.sdp}
                answer["callId"] = offer.get("callId")
                await client.send(event.sender, {"type": "answer", "payload": answer})
    finally:
        await client.close()
        for connection in connections:
            await connection.close()


def _prefer_h264(connection: RTCPeerConnection) -> None:
    codecs = RTCRtpSender.getCapabilities("video").codecs
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences([c for c in codecs if c.mimeType == "video/H264"])


PUBLISHERS = {"roomcall": publish_with_roomcall, "aiortc": publish_with_aiortc}

if __name__ == "__main__":
    _, which, server, room, width, height = sys.argv
    asyncio.run(PUBLISHERS[which](server, room, (int(width), int(height))))
