"""One call over two servers on one Redis, of which one is stopped in the middle of it."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

import roomcall
import roomcall_server
from benchmarks.killing import Gate

WAIT = 30.0
SMALL: dict[str, Any] = {"video": "testsrc", "video_size": (160, 120), "fps": 10, "audio": "none"}
SEEN = (
    roomcall.MemberLeft,
    roomcall.MemberJoined,
    roomcall.PeerLeft,
    roomcall.PeerDisconnected,
    roomcall.PeerFailed,
)


@pytest.mark.system("redis-server")
async def test_a_roll_out_in_the_middle_of_a_call(redis_url: str) -> None:
    gate = Gate()
    await gate.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(gate.close)
        first, second = [
            await stack.enter_async_context(roomcall_server.serve(store=redis_url))
            for _ in range(2)
        ]
        gate.ports = [first.port]
        ann = await stack.enter_async_context(
            roomcall.join("den", server=gate.url, name="ann", **SMALL)
        )
        bob = await stack.enter_async_context(
            roomcall.join("den", server=second.url, name="bob", **SMALL)
        )
        for call in (ann, bob):
            await call.wait_for(roomcall.FirstFrame, WAIT, kind="video")
        id = ann.id
        gate.ports = [second.port]
        await first.service.drain()  # it has nobody any more when this returns
        restored = await ann.wait_for(roomcall.SignalingRestored, WAIT)
        assert (restored.resumed, ann.id) == (True, id)
        video = bob.peers[id].video
        assert video is not None
        frames = aiter(video.frames())
        for _ in range(10):
            await anext(frames)
        await ann.chat("after")
        seen = []
        async for event in bob:
            seen.append(event)
            if isinstance(event, roomcall.ChatReceived):
                break
        begun = next(n for n, event in enumerate(seen) if isinstance(event, roomcall.FirstFrame))
        assert not [event for event in seen[begun:] if isinstance(event, SEEN)]
