"""What a receiver measures of `testsrc`, in real calls, and of nothing else."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import roomcall
from roomcall.testing.media import make_video

MARKED = {"latency", "avOffset", "framesLost", "freezes"}


async def stats_of(
    call: roomcall.Call, peer: roomcall.Call, good: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first statistics of a peer that are `good`."""
    stats: dict[str, Any] = {}
    try:
        async with asyncio.timeout(20):
            async for event in call:
                if isinstance(event, roomcall.StatsUpdated):
                    stats = event.peers.get(peer.id, {})
                    if good(stats):
                        return stats
    except TimeoutError:
        pass
    raise AssertionError(f"never good, at last: {stats}")


def has_frames(count: int) -> Callable[[dict[str, Any]], bool]:
    """Before it is connected there are none."""

    def has(stats: dict[str, Any]) -> bool:
        inbound = stats.get("video", {}).get("inbound", {})
        return bool(inbound.get("framesReceived", 0) >= count)

    return has


def decoders() -> list[str]:
    names = (thread.name for thread in threading.enumerate())
    return sorted(name for name in names if name.startswith("roomcall-decode"))


async def test_testsrc_is_measured_and_a_file_is_not(peer: Any, tmp_path: Path) -> None:
    # Even the pictures of a testsrc, in a file, say nothing about the way from there to here.
    file = make_video(tmp_path / "cam.mp4", seconds=1, fps=15, size=(320, 240), gop=15)
    options = {"video_size": (320, 240), "fps": 15, "video_bitrate": 200_000}
    ann = await peer("lab", name="ann", video="testsrc", **options)
    bob = await peer("lab", name="bob", video=str(file))
    watcher = await peer("lab", stats_interval=0.25)

    stats = await stats_of(watcher, ann, lambda stats: stats.keys() >= MARKED)
    assert 0 < stats["latency"] < 2
    assert abs(stats["avOffset"]) <= 0.08
    # Many key frames have come since the first look.
    stats = await stats_of(watcher, bob, has_frames(60))
    assert not MARKED & stats.keys()
    # Ann's picture and sound are decoded, for the one that asks for statistics, and no more.
    async with asyncio.timeout(10):
        while decoders() != ["roomcall-decode-H264_0", "roomcall-decode-opus_0"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.long
async def test_a_source_that_becomes_a_testsrc_is_noticed(peer: Any, tmp_path: Path) -> None:
    file = make_video(tmp_path / "cam.mp4", seconds=1, fps=15, size=(320, 240), gop=15)
    ann = await peer("lab", name="ann", video=str(file))
    watcher = await peer("lab", stats_interval=0.25)
    stats = await stats_of(watcher, ann, has_frames(45))
    assert not MARKED & stats.keys()
    await ann.publish(video="testsrc", audio="testsrc")
    stats = await stats_of(watcher, ann, lambda stats: stats.keys() >= MARKED)
    assert 0 < stats["latency"] < 2
