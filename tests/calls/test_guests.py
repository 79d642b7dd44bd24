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
    before = await at_rest()
    for _ in range(GUESTS):
        await one_guest(host, {"server": room_server.url, **options})
    await nothing_more_than(before)


async def test_who_leaves_while_it_is_connecting_leaves_nothing_behind(
    room_server: Any, peer: Any
) -> None:
    options = {"video": "testsrc", "video_size": (160, 120), "fps": 15}
    host = await peer("open-house", name="host", **options)
    before = await at_rest()
    for moment in range(0, 80, 4):  # milliseconds: from the offer to the first packets
        async with roomcall.join("open-house", server=room_server.url, **options) as guest:
            await asyncio.sleep(moment / 1000)
            here = host.peers.get(guest.id)
        if here is not None:
            await host.wait_for(roomcall.PeerLeft, 10, peer=here)
    await nothing_more_than(before)


async def at_rest() -> dict[str, Any]:
    """What is held when nothing of the joining is on its way any more."""
    before = None
    while (now := held()) != before:
        before = now
        await asyncio.sleep(0.1)
    return now


async def nothing_more_than(before: dict[str, Any]) -> None:
    for _ in range(LOOKS):
        if held() == before:
            break
        await asyncio.sleep(0.1)  # for what is on its way out
    assert held() == before


async def one_guest(host: roomcall.Call, options: dict[str, Any]) -> None:
    """It sees and is seen, then leaves."""
    async with roomcall.join("open-house", name="guest", **options) as guest:
        here = await seen_by(host, guest)
        await asyncio.gather(sees(host, here), sees(guest, guest.peers[host.id]))
    await host.wait_for(roomcall.PeerLeft, 10, peer=here)


async def seen_by(host: roomcall.Call, guest: roomcall.Call) -> roomcall.Peer:
    async with asyncio.timeout(10):
        async for _ in host:
            if guest.id in host.peers:
                return host.peers[guest.id]
    raise AssertionError("the call has ended")


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
