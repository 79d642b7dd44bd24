"""A remote track, fed by hand."""

import asyncio
import threading
from fractions import Fraction
from typing import Any, cast

from roomcall.media.encoder import make_encoder
from roomcall.media.source import VIDEO_TIME_BASE
from roomcall.media.sources.testcard import TestCard
from roomcall.peer.track import RemoteTrack


def a_key_frame() -> bytes:
    frame = TestCard((160, 120), Fraction(30)).frame(0, 0.0)
    frame.pts, frame.time_base = 0, VIDEO_TIME_BASE
    (packet,) = make_encoder("H264").encode(frame, True)
    return bytes(packet)


def decoders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "roomcall-decode" in thread.name]


async def test_a_decoder_exists_only_while_somebody_iterates() -> None:
    async def request_key_frame() -> None:
        raise AssertionError("what comes is one")

    track = RemoteTrack(cast(Any, None), "video", "H264", request_key_frame)
    viewers = [track.frames(), track.frames()]
    pictures = [asyncio.ensure_future(anext(viewer)) for viewer in viewers]
    for _ in range(3):  # turns of the loop, until the decoder is there
        await asyncio.sleep(0)
    track.deliver("H264", a_key_frame(), 0, 0.0, keyframe=True)
    async with asyncio.timeout(10):
        assert [(p.width, p.height) for p in await asyncio.gather(*pictures)] == [(160, 120)] * 2
        assert len(decoders()) == 1
        await viewers[0].aclose()
        assert len(decoders()) == 1
        await viewers[1].aclose()
        while decoders():  # noqa: ASYNC110 - a thread says nothing when it ends
            await asyncio.sleep(0.01)
    assert not track._packet_consumers
