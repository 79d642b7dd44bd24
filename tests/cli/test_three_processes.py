"""The main job: three `roomcall join` with an ordinary mp4, each a process of its own."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

import roomcall
import roomcall_server
from roomcall.testing.media import make_video
from tests.machine import Load
from tests.seeing import assert_in_sync, see_and_hear

FPS = 25
NAMES = ("ann", "bob", "cem")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "cam.mp4"
    return make_video(path, seconds=3, fps=FPS, size=(320, 240))


def inbound(stats: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [peer[kind]["inbound"] for peer in stats["peers"].values()]


async def test_full_rate_nothing_lost_in_sync_and_a_kill_disturbs_nobody(
    start: Any, peer: Any, video: Path
) -> None:
    async with roomcall_server.serve(resume_grace=1) as server:
        load = Load()
        options = ["--server", server.url, "--video", video, "--json"]
        runs = [await start("join", "standup", "--name", name, *options) for name in NAMES]
        for run in runs:
            for _ in range(4):  # picture and sound of both others
                first = await run.event("first-frame")
                assert first["seconds"] < (10 if load.is_saturated() else 1.5)
            pictures = run.seen("first-frame", kind="video")
            assert [(e["width"], e["height"]) for e in pictures] == [(320, 240)] * 2
            assert {e["name"] for e in run.seen("peer-connected")} == {e["name"] for e in pictures}
            assert len(run.seen("peer-connected")) == 2
        await asyncio.gather(*(gets_all(run, others=2) for run in runs))
        ann, bob, cem = runs
        cem.process.kill()
        for run in (ann, bob):
            left = await run.event("member-left", name="cem")
            assert left["reason"] == "disconnected"
            assert not [event for event in run.events if event["event"] == "peer-failed"]
        await asyncio.gather(gets_all(ann, others=1), gets_all(bob, others=1))
        eye = await peer("standup", server=server.url)
        for sender in eye.peers.values():
            for kind in ("video", "audio"):
                await eye.wait_for(roomcall.FirstFrame, 20, peer=sender, kind=kind)
        for pictures, sounds in await asyncio.gather(*map(see_and_hear, eye.peers.values())):
            assert_in_sync(pictures, sounds, fps=FPS, load=load)
        await eye.leave()
        for run in (ann, bob):
            assert await run.interrupted() == 0
            assert (run.events[-1]["event"], run.events[-1]["reason"]) == ("left", "interrupted")
            assert run.errors == ""
        assert [run.seen("joined")[0]["created"] for run in runs].count(True) == 1


async def gets_all(run: Any, others: int) -> None:
    """Every frame of everybody, at full rate, and none twice. A hiccup of the machine delays a few
    frames, which is much in two seconds and little in ten."""
    await caught_up(run)
    load = Load()
    before = await run.event("stats")
    await run.event("stats")
    for _ in range(9):
        after = await run.event("stats")
        rates = [rates_of(before, after, kind) for kind in ("video", "audio")]
        if rates == [pytest.approx([FPS] * others, abs=1), pytest.approx([50] * others, abs=2)]:
            break
    else:
        least = FPS / 2 if load.is_saturated() else FPS - 1
        assert min(rates[0]) >= least and min(rates[1]) >= 2 * least, rates
    for counters in itertools.chain(inbound(after, "video"), inbound(after, "audio")):
        assert counters["packetsLost"] == 0


def rates_of(before: dict[str, Any], after: dict[str, Any], kind: str) -> list[float]:
    """Frames a second of each peer; a frame of sound has 20 ms."""
    return [
        (now["framesReceived"] - was["framesReceived"]) / (after["t"] - before["t"])
        for was, now in zip(inbound(before, kind), inbound(after, kind), strict=True)
    ]


async def caught_up(run: Any) -> None:
    """Past what was printed while nobody read it."""
    while True:
        try:
            await asyncio.wait_for(asyncio.shield(line := asyncio.ensure_future(run.line())), 0.3)
        except TimeoutError:
            assert await line
            return
