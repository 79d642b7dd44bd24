"""`join --snapshot`: pictures that others read while they are replaced."""

import asyncio
import os
from pathlib import Path
from typing import Any

import av

SMALL = {"video": "testsrc", "video_size": (320, 240), "fps": 10}


async def test_a_picture_of_each_is_replaced_whole(
    start: Any, room_server: Any, peer: Any, tmp_path: Path
) -> None:
    for _ in range(2):
        await peer("standup", name="../ann", **SMALL)
    run = await start("join", "standup", "--server", room_server.url, "--snapshot", "seen")
    folder = tmp_path / "seen"
    read: dict[str, set[bytes]] = {"ann.jpg": set(), "ann-2.jpg": set()}
    async with asyncio.timeout(20):
        while any(len(pictures) < 2 for pictures in read.values()):
            for name, pictures in read.items():
                if (folder / name).exists():
                    pictures.add((folder / name).read_bytes())
            await asyncio.sleep(0.02)
    assert await run.interrupted() == 0, run.errors
    assert sorted(os.listdir(folder)) == ["ann-2.jpg", "ann.jpg"]
    for picture in read["ann.jpg"] | read["ann-2.jpg"]:
        assert picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9")
    with av.open(str(folder / "ann.jpg")) as still:
        (frame,) = still.decode(video=0)
    assert (frame.width, frame.height) == (320, 240)


async def test_a_folder_that_cannot_be_made_is_wrong_use(start: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = await start("join", "standup", "--snapshot", "file/seen")
    assert await run.ended() == 2
    assert "file/seen cannot be written" in run.errors and len(run.errors.splitlines()) == 1


async def test_what_cannot_be_written_ends_the_call_with_2(
    start: Any, room_server: Any, peer: Any, tmp_path: Path
) -> None:
    await peer("standup", name="ann", **SMALL)
    (tmp_path / "seen/ann.jpg").mkdir(parents=True)  # in the way of the file
    options = ("--server", room_server.url, "--snapshot", "seen", "--duration", "3", "--json")
    run = await start("join", "standup", *options)
    assert await run.ended() == 2
    assert run.errors.count("Warning: seen/ann.jpg cannot be written") == 1, run.errors
    assert run.seen("left", reason="duration")
