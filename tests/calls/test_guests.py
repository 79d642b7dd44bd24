"""Those who come and go leave nothing behind at those who stay."""

import asyncio
import gc
import threading
from typing import Any

import psutil

import roomcall

GUESTS = 15
LOOKS = 100


async def test_after_many_guests_there_is_no_more_than_before(room_server: Any, peer: Any) -> None:
    options = {"video": "testsrc", "video_size": (160, 120), "fps": 15}
    host = await peer("open-house", name="host", **options)
    before = held()
    for _ in range(GUESTS):
        await one_guest(host, {"server": room_server.url, **options})
    for _ in range(LOOKS):
        if held() == before:
            break
        await asyncio.sleep(0.1)  # for what is on its way out
    assert held() == before


async def one_guest(host: roomcall.Call, options: dict[str, Any]) -> None:
    """It sees and is seen, then leaves."""
    async with roomcall.join("open-house", name="guest", **options) as guest:
        here = host.peers[guest.id]
        await asyncio.gather(sees(host, here), sees(guest, guest.peers[host.id]))
    await host.wait_for(roomcall.PeerLeft, 10, peer=here)


async def sees(call: roomcall.Call, other: roomcall.Peer) -> None:
    added = await call.wait_for(roomcall.TrackAdded, 15, kind="video", peer=other)
    frames = added.track.frames()
    await anext(frames)
    await frames.aclose()


def held() -> dict[str, Any]:
    """Tasks and threads by name, and the number of descriptors."""
    gc.collect()
    return {
        "tasks": sorted(task.get_name() for task in asyncio.all_tasks()),
        # Those of asyncio's executor come with their first work, and stay.
        "threads": sorted(t.name for t in threading.enumerate() if "asyncio_" not in t.name),
        "descriptors": psutil.Process().num_fds(),
    }
