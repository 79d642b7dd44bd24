"""The echo: to each its own, as it came."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

import roomcall
from roomcall.media import fanout, marks

TIMEOUT = 15.0


@pytest.fixture
async def echo(room_server: Any) -> Any:
    """Runs an echo in the room "echo"; it ends with the test."""
    running: list[tuple[roomcall.bots.Echo, asyncio.Task[None]]] = []

    async def run(**options: Any) -> None:
        bot = roomcall.bots.Echo(**options)
        running.append((bot, asyncio.create_task(bot.run("echo", server=room_server.url))))

    yield run
    for bot, task in running:
        await bot.call.leave()
        await task


@pytest.fixture
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: Any) -> None:
        raise ValueError("the echo is about to decode")

    monkeypatch.setattr(fanout, "Decoder", decode)


async def latencies(call: roomcall.Call, peer: roomcall.Peer, count: int) -> list[float]:
    """From drawing a picture to having it decoded; sizes are as the caller sends them."""
    found: list[float] = []
    assert peer.video is not None
    async with asyncio.timeout(TIMEOUT), aclosing(peer.video.frames()) as frames:
        async for frame in frames:
            if (mark := marks.read(frame)) is not None:
                found.append(asyncio.get_running_loop().time() - mark.clock)
            if len(found) >= count:
                break
    return found


@pytest.mark.usefixtures("nothing_is_decoded")
async def test_each_has_its_own_back_and_nobody_else_s(echo: Any, peer: Any) -> None:
    """One was there before the echo and one comes after it, with another codec and no sound."""
    ann = await peer("echo", name="ann", video="testsrc", video_size=(320, 240))
    await echo()
    await ann.wait_for(roomcall.PeerConnected, TIMEOUT, name="echo")
    bob = await peer(
        "echo", name="bob", video="testsrc", audio="none", video_size=(384, 216), video_codec="vp8"
    )
    for call, size in ((ann, (320, 240)), (bob, (384, 216))):
        first = await call.wait_for(roomcall.FirstFrame, TIMEOUT, name="echo", kind="video")
        assert (first.width, first.height) == size
    heard = await ann.wait_for(roomcall.FirstFrame, TIMEOUT, name="echo", kind="audio")
    direct = await latencies(bob, bob.peers[ann.id], 30)
    back = await latencies(ann, heard.peer, 30)
    # It is a few ms; the bound, and the least of many, are for a machine that is busy.
    assert min(back) < min(direct) + 0.3
    stats = await bob.stats()
    assert "packetsReceived" in stats[first.peer.id]["video"]["inbound"]
    assert not stats[first.peer.id].get("audio", {}).get("inbound", {}).get("framesReceived")


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.long
async def test_it_comes_later_and_key_frames_are_asked_for_where_it_comes_from(
    echo: Any, peer: Any
) -> None:
    await echo(delay=1.0)
    ann = await peer("echo", name="ann", video="testsrc", video_size=(320, 240), fps=15)
    first = await ann.wait_for(roomcall.FirstFrame, TIMEOUT, name="echo", kind="video")
    assert min(await latencies(ann, first.peer, 5)) > 1
    track = first.peer.video
    assert track is not None
    async with asyncio.timeout(TIMEOUT), aclosing(track.packets()) as packets:
        await track.request_key_frame()
        async for packet in packets:
            if packet.keyframe:
                break


def test_a_delay_has_bounds() -> None:
    with pytest.raises(ValueError, match="between 0 and 60"):
        roomcall.bots.Echo(delay=61)
