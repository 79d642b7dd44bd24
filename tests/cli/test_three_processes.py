"""The main job: three `roomcall join` with an ordinary mp4, each a process of its own."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

import roomcall_server
from roomcall.testing.media import make_video

FPS = 25
NAMES = ("ann", "bob", "cem")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "cam.mp4"
    return make_video(path, seconds=3, fps=FPS, size=(320, 240))


def inbound(stats: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [peer[kind]["inbound"] for peer in stats["peers"].values()]


async def test_full_rate_nothing_lost_and_a_kill_disturbs_nobody(start: Any, video: Path) -> None:
    async with roomcall_server.serve(resume_grace=1) as server:
        options = ["--server", server.url, "--video", video, "--json"]
        runs = [await start("join", "standup", "--name", name, *options) for name in NAMES]
        for run in runs:
            for _ in range(4):  # picture and sound of both others
                first = await run.event("first-frame")
                assert first["seconds"] < 5  # 1.5 s on a machine that has nothing else to do
        await asyncio.gather(*(gets_all(run, others=2) for run in runs))
        ann, bob, cem = runs
        cem.process.kill()
        for run in (ann, bob):
            left = await run.event("member-left", name="cem")
            assert left["reason"] == "disconnected"
            assert not [event for event in run.events if event["event"] == "peer-failed"]
        await asyncio.gather(gets_all(ann, others=1), gets_all(bob, others=1))
        for run in (ann, bob):
            assert await run.interrupted() == 0
            assert (run.events[-1]["reason"], run.errors) == ("interrupted", "")


async def gets_all(run: Any, others: int) -> None:
    """For two seconds every frame of everybody, at full rate, and none twice."""
    await caught_up(run)
    before = await run.event("stats")
    for _ in range(2):
        after = await run.event("stats")
    seconds = after["t"] - before["t"]
    pairs = list(zip(inbound(before, "video"), inbound(after, "video"), strict=True))
    assert len(pairs) == others
    for was, now in pairs:
        rate = (now["framesReceived"] - was["framesReceived"]) / seconds
        assert rate == pytest.approx(FPS, abs=1), run.events
        assert now["freezeCount"] == 0
    for counters in itertools.chain(inbound(after, "video"), inbound(after, "audio")):
        assert counters["packetsLost"] == 0
    for was, now in zip(inbound(before, "audio"), inbound(after, "audio"), strict=True):
        rate = (now["packetsReceived"] - was["packetsReceived"]) / seconds
        assert rate == pytest.approx(50, abs=2)  # 20 ms each


async def caught_up(run: Any) -> None:
    """Past what was printed while nobody read it."""
    while True:
        try:
            await asyncio.wait_for(asyncio.shield(line := asyncio.ensure_future(run.line())), 0.3)
        except TimeoutError:
            assert await line
            return
