"""The publishers that other benchmarks measure: one process, one picture to everybody.

\b
roomcall  as the library does it
aiortc    as its documentation shows it: a `MediaRelay`, and with every peer an `RTCPeerConnection`
          that encodes for itself
encoder   to nobody: the encoder alone, with the same pictures
pictures  to nobody: the pictures alone
passing   a file by roomcall, as it is
encoding  the same file, encoded anew

Signaling and pictures of the first four are the same.
"""

import asyncio
import itertools
import random
import sys
from fractions import Fraction
from typing import Any

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay

import roomcall
from roomcall.media.encoder import make_encoder
from roomcall.media.source import VIDEO_CLOCK, VIDEO_TIME_BASE
from roomcall.media.sources.testcard import TestCard
from roomcall.signaling.base import Signal
from roomcall.signaling.room import JoinOptions, RoomClient

NAME = "publisher"
BITRATE = 1_000_000  # where aiortc's encoder begins
FPS = 30
NOISE = 8_000  # pixels


class Pictures(MediaStreamTrack):
    """A moving picture. A little of it is noise, never twice the same, so that an encoder needs the
    bitrate that it has; with more, VP8 would not get along with that."""

    kind = "video"

    def __init__(self, size: tuple[int, int], fps: int = FPS) -> None:
        super().__init__()
        self._fps = fps
        self._card = TestCard(size, Fraction(fps))
        self._numbers = itertools.count()
        self._random = random.Random(1)
        self._noise = self._random.randbytes(size[0] * size[1])
        self._begun: float | None = None

    async def recv(self) -> av.VideoFrame:
        number = next(self._numbers)
        now = asyncio.get_running_loop().time()
        self._begun = now if self._begun is None else self._begun
        await asyncio.sleep(self._begun + number / self._fps - now)
        frame = self._card.frame(number, 0.0)
        luma = memoryview(frame.planes[0])
        offset = self._random.randrange(len(self._noise) - NOISE)
        luma[:NOISE] = self._noise[offset : offset + NOISE]
        frame.pts, frame.time_base = number * VIDEO_CLOCK // self._fps, VIDEO_TIME_BASE
        return frame


async def publish_with_roomcall(server: str, room: str, codec: str, size: str) -> None:
    await _publish(server, room, video=Pictures(_size(size)), video_codec=codec)


async def pass_a_file(server: str, room: str, codec: str, path: str) -> None:
    await _publish(server, room, video=path, video_codec=codec)


async def encode_a_file(server: str, room: str, codec: str, path: str) -> None:
    await _publish(server, room, video=path, video_codec=codec, passthrough=False)


async def _publish(server: str, room: str, **options: Any) -> None:
    rate = None if isinstance(options["video"], str) else BITRATE
    async with roomcall.join(
        room, server=server, name=NAME, audio="none", video_bitrate=rate, **options
    ) as call:
        print("ready", flush=True)
        async for _ in call:
            pass


async def publish_with_aiortc(server: str, room: str, codec: str, size: str) -> None:
    pictures, relay = Pictures(_size(size)), MediaRelay()
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
                _prefer(codec, connection)
                await connection.setLocalDescription()
                answer = {"type": "answer", "sdp": connection.localDescription.sdp}
                answer["callId"] = offer.get("callId")
                await client.send(event.sender, {"type": "answer", "payload": answer})
    finally:
        await client.close()
        for connection in connections:
            await connection.close()


def _prefer(codec: str, connection: RTCPeerConnection) -> None:
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [c for c in codecs if c.mimeType.lower() == f"video/{codec}"]
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences(wanted)


async def encode_alone(_: str, __: str, codec: str, size: str) -> None:
    pictures, encoder = Pictures(_size(size)), make_encoder(codec.upper(), BITRATE)
    print("ready", flush=True)
    for number in itertools.count():
        encoder.encode(await pictures.recv(), number == 0)


async def show_to_nobody(_: str, __: str, ___: str, size: str) -> None:
    pictures = Pictures(_size(size))
    print("ready", flush=True)
    while True:
        await pictures.recv()


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


PUBLISHERS = {
    "roomcall": publish_with_roomcall,
    "aiortc": publish_with_aiortc,
    "encoder": encode_alone,
    "pictures": show_to_nobody,
    "passing": pass_a_file,
    "encoding": encode_a_file,
}

if __name__ == "__main__":
    _, which, *arguments = sys.argv
    asyncio.run(PUBLISHERS[which](*arguments))
