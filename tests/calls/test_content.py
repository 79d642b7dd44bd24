"""What is said of what peers show and say, where they really send it."""

import asyncio
from typing import Any

import roomcall
from roomcall.testing.faults import Camera, Microphone


async def test_black_frozen_silent_and_neither_are_told_apart(peer: Any) -> None:
    origin = asyncio.get_running_loop().time()
    members = {
        "fine": (Camera(origin), Microphone(origin)),
        "dark": (Camera(origin, black=True), Microphone(origin, silent=True)),
        "stuck": (Camera(origin, frozen_after=1), Microphone(origin)),
    }
    eye = await peer("standup", name="eye", watch=True, stats_interval=0.5)
    for name, (video, audio) in members.items():
        await peer("standup", name=name, video=video, audio=audio)
    wanted = {
        "fine": {"black": False, "frozen": False, "silent": False},
        "dark": {"black": True, "frozen": True, "silent": True},
        "stuck": {"black": False, "frozen": True, "silent": False},
    }
    said: dict[str, Any] = {}
    async with asyncio.timeout(60):
        async for event in eye:
            if isinstance(event, roomcall.StatsUpdated):
                said = {eye.peers[id].name: stats["content"] for id, stats in event.peers.items()}
                assert event.load is not None and event.load.keys() == {
                    "loopLag",
                    "cpu",
                    "machineCpu",
                }
                if said == wanted:
                    break
    assert said == wanted
