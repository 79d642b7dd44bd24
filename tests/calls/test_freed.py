"""What aiortc has made for a guest goes with the guest, not when Python's collector comes by."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import roomcall


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def test_a_closed_connection_is_freed_at_once(
    room_server: Any, peer: Any, no_collector: None
) -> None:
    options = {"video": "testsrc", "video_size": (160, 120), "fps": 15}
    host = await peer("open-house", name="host", **options)
    freed = [asyncio.Event() for _ in range(4)]
    async with roomcall.join("open-house", server=room_server.url, **options) as guest:
        here = host.peers[guest.id]
        await host.wait_for(roomcall.FirstFrame, 15, kind="video", peer=here)
        watch(here, freed)
    await host.wait_for(roomcall.PeerLeft, 10, peer=here)
    async with asyncio.timeout(15):
        await asyncio.gather(*(event.wait() for event in freed))
    assert (await here.stats())["video"]["inbound"]["framesReceived"]


def watch(peer: roomcall.Peer, freed: list[asyncio.Event]) -> None:
    connection = peer._connection
    assert connection is not None
    pc = connection._pc
    (video,) = (t for t in pc.getTransceivers() if t.kind == "video")
    parts = (connection, pc, video.receiver, video.sender)
    for part, event in zip(parts, freed, strict=True):
        weakref.finalize(part, event.set)
