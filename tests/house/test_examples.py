"""The examples: short, and they do what they say."""

import asyncio
import signal
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import roomcall
from roomcall.testing.media import make_video

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = Path(sys.executable).with_name("roomcall")
TIMEOUT = 50.0

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def example() -> AsyncIterator[Start]:
    """Starts one of them."""
    started = []

    async def start(name: str | Path, *arguments: object) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            EXAMPLES / name,
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(process: asyncio.subprocess.Process, *words: str) -> str:
    """The first line with all these words."""
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(TIMEOUT):
        while line := (await process.stdout.readline()).decode():
            said += line
            if all(word in line for word in words):
                return line
    raise AssertionError(f"never said {words}:\n{said}")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_it_is_short_and_run_here(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 60
    assert f'"{path.name}"' in Path(__file__).read_text()


async def test_one_sends_a_file_and_one_watches(
    example: Start, room_server: Any, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "cam.mp4", seconds=4, fps=15, size=(320, 240))
    watcher = await example("watch_room.py", "standup", "--server", room_server.url)
    sender = await example("send_file.py", "standup", video, "--server", room_server.url)
    await until(sender, "connected to watcher in")
    await until(watcher, "sender is here")
    line = await until(watcher, "sender: 320×240")
    assert int(line.split(", ")[1].split()[0]) in range(5, 18)
    await until(sender, "watcher: ", " pictures, 0 packets again")
    await until(sender, "left after", "source-ended")
    assert await asyncio.wait_for(sender.wait(), TIMEOUT) == 0
    await until(watcher, "sender is gone: left")
    watcher.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(watcher.wait(), TIMEOUT) == 0


async def test_a_call_over_a_signaling_of_ones_own(example: Start) -> None:
    process = await example("own_signaling.py")
    await until(process, "bob is connected to ann after")
    await until(process, "bob sees ann: 640×360 after")
    assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0


async def test_a_probe_says_by_its_exit_code_whether_pictures_move(
    example: Start, room_server: Any, peer: Any
) -> None:
    await peer("standup", name="ann", video="testsrc", video_size=(320, 240), fps=15)
    where = ("--server", room_server.url)
    well = await example("probe.py", "standup", *where)
    missing = await example("probe.py", "standup", *where, "--members", 2, "--within", 2)
    no_room = await example("probe.py", "lobby", *where)
    await until(well, "OK: 1 of 1 pictures move | fps=")
    await until(missing, "CRITICAL: ", " of 2 pictures move")
    await until(no_room, "CRITICAL: 0 of 1 pictures move; ")
    assert [await each.wait() for each in (well, missing, no_room)] == [0, 2, 2]


async def test_bots(
    example: Start, room_server: Any, peer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them in one room, each as `roomcall run` has it."""
    monkeypatch.chdir(tmp_path)
    bots = []
    for name in ("greeter.py", "record_speakers.py", "motion_alarm.py"):
        arguments = ("run", EXAMPLES / name, "bots", "--server", room_server.url)
        bots.append(await example(COMMAND, *arguments))
        await until(bots[-1], "you are in bots")
    ann = await peer("bots", name="ann", video="testsrc", video_size=(320, 240), fps=15)
    await ann.wait_for(roomcall.ChatReceived, TIMEOUT, name="greeter", text="Hello, ann!")
    await ann.chat("in 0 tea")
    await ann.wait_for(roomcall.ChatReceived, TIMEOUT, name="greeter", text="tea")
    await until(bots[1], "ann has spoken: speech-1.wav")
    with wave.open(str(tmp_path / "speech-1.wav")) as speech:
        assert speech.getnframes() > 0.5 * 48_000
    async with asyncio.timeout(TIMEOUT):
        async for event in ann:
            if isinstance(event, roomcall.ChatReceived) and event.name == "motionalarm":
                assert event.text.startswith("ann: something moves")
                break
    for bot in bots:
        bot.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(bot.wait(), TIMEOUT) == 0
