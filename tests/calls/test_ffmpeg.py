"""A file as people have it: made by the ffmpeg command, not by us."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import roomcall
from tests.machine import Load


@pytest.mark.system("ffmpeg")
async def test_a_file_of_the_ffmpeg_command(tmp_path: Path, peer: Any, assert_media: Any) -> None:
    path = tmp_path / "cam.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
    codecs = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2", "-c:a", "aac")
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", *picture, *sound, *codecs, str(path))
    )
    assert await process.wait() == 0
    ann = await peer("ffmpeg", name="ann", video=str(path))
    bob = await peer("ffmpeg", name="bob")
    load = Load()
    await assert_media(bob, ann, min_fps=3, seconds=2)
    rate = (await bob.stats())[ann.id]["video"]["inbound"]["framesPerSecond"]
    assert rate >= 23 or load.is_saturated()
    first = await bob.wait_for(roomcall.FirstFrame, 10, kind="video")
    assert (first.width, first.height) == (640, 360)
    await bob.wait_for(roomcall.FirstFrame, 10, kind="audio")
