"""Processes that speak and processes that record them, for `benchmarks.recording`."""

import asyncio
import itertools
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import av
import psutil

import roomcall_server
from roomcall.testing.media import make_video

from .receiving import cpu_of

Size = tuple[int, int]
Process = asyncio.subprocess.Process

ROOM = "recorded"
PATIENCE = 60.0
WARM_UP = 5.0  # seconds
LARGE, MEDIUM, SMALL = (1280, 720), (640, 360), (320, 180)


class Speaker(NamedTuple):
    name: str
    size: Size = LARGE
    codec: str = "h264"
    drift: float = 0.0  # ppm


@asynccontextmanager
async def process(*command: str) -> AsyncIterator[Process]:
    """Killed in the end, where it has not ended."""
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.communicate()


async def line_with(process: Process, text: bytes, times: int = 1) -> None:
    """Wait until it has printed so many of them."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while times:
            line = await process.stdout.readline()
            assert line, f"it has ended without {text!r}"
            times -= text in line


@asynccontextmanager
async def speaking(server: str, speaker: Speaker, origin: float = 0.0) -> AsyncIterator[Process]:
    name, size, codec, drift = speaker
    clock = ("--origin", str(origin), "--drift", str(drift))
    given = (server, ROOM, name, *map(str, size), "--codec", codec, *clock)
    async with process("benchmarks.speaker", *given) as made:
        await line_with(made, b"ready")
        yield made


def tell(process: Process, text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{text}\n".encode())


@asynccontextmanager
async def recording(
    server: str, folder: Path, network: str | None = None
) -> AsyncIterator[Process]:
    """`roomcall record`, from when it has joined; ended in good order where it lives still."""
    given = ("record", ROOM, "-o", str(folder), "--server", server, "--json")
    bad = () if network is None else ("--network", network)
    async with process("roomcall_cli", *given, *bad) as made:
        await line_with(made, b'"joined"')
        yield made
        if made.returncode is None:
            made.send_signal(signal.SIGINT)
            async with asyncio.timeout(PATIENCE):
                await made.communicate()


async def record_marks(
    folder: Path, minutes: float, network: str, drift: float, origin: float
) -> float:
    """A call of so long: one comes when a quarter is over, the sound of one is muted a while in the
    middle, and the clocks of two go wrong. Returns the recorder's CPU seconds a second and
    participant."""
    whole = 60 * minutes
    speakers = [Speaker("ann"), Speaker("bob"), Speaker("cem", codec="vp8")]
    wrong = [Speaker("fast", SMALL, drift=drift), Speaker("slow", SMALL, drift=-drift)]
    processes: dict[str, Process] = {}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(roomcall_server.serve())
        recorder = await stack.enter_async_context(recording(server.url, folder, network))
        used = psutil.Process(recorder.pid)
        assert recorder.stdout is not None
        reading = asyncio.create_task(recorder.stdout.read())
        stack.callback(reading.cancel)
        for speaker in [*speakers[:2], *wrong]:
            made = await stack.enter_async_context(speaking(server.url, speaker, origin))
            processes[speaker.name] = made
        await asyncio.sleep(whole / 4)
        await stack.enter_async_context(speaking(server.url, speakers[2]))
        await asyncio.sleep(whole / 4)
        tell(processes["bob"], "mute audio")
        before, since = cpu_of(used), time.monotonic()
        await asyncio.sleep(whole / 20)
        tell(processes["bob"], "unmute audio")
        await asyncio.sleep(whole / 2 - whole / 20)
        return (cpu_of(used) - before) / (time.monotonic() - since) / (len(speakers) + len(wrong))


async def measure_cost(folder: Path, seconds: float) -> tuple[float, float]:
    """CPU seconds a second that one participant takes of `roomcall record`, and of aiortc's
    `MediaRecorder`, one after the other."""
    figures = []
    async with roomcall_server.serve() as server, speaking(server.url, Speaker("ann")):
        async with recording(server.url, folder / "roomcall") as recorder:
            await line_with(recorder, b'"started"')
            await asyncio.sleep(WARM_UP)
            figures.append(await _cpu(recorder, seconds))
        other = ("benchmarks.media_recorder", server.url, ROOM, str(folder / "aiortc.mp4"))
        async with process(*other) as recorder:
            await asyncio.sleep(WARM_UP)
            figures.append(await _cpu(recorder, seconds))
    return figures[0], figures[1]


async def _cpu(recorder: Process, seconds: float) -> float:
    used = psutil.Process(recorder.pid)
    before, since = cpu_of(used), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_of(used) - before) / (time.monotonic() - since)


class Exact(NamedTuple):
    """Pictures that are in the file, those of them that were not sent or are out of order; sounds
    alike."""

    pictures: int
    wrong_pictures: int
    sounds: int
    wrong_sounds: int


async def compare_packets(folder: Path, seconds: float) -> Exact:
    """A file goes out as it is, round and round, so that it is known what was sent."""
    sent = make_video(
        folder / "sent.webm", codec="libvpx", audio="libopus", bframes=0, gop=30, fps=30, size=LARGE
    )
    given = ("join", ROOM, "--name", "ann", "--video", str(sent), "--json")
    async with (
        roomcall_server.serve() as server,
        recording(server.url, folder / "exact") as recorder,
        process("roomcall_cli", *given, "--server", server.url),
    ):
        await line_with(recorder, b'"started"')
        await asyncio.sleep(seconds)
    kept = folder / "exact" / "ann.mkv"
    counts = []
    for kind in ("video", "audio"):
        known = {packet: place for place, packet in enumerate(read_packets(sent, kind))}
        found = [known.get(packet) for packet in read_packets(kept, kind)]
        steps = itertools.pairwise(found)
        if kind == "video":  # sounds may be alike
            wrong = sum(a is None or b != (a + 1) % len(known) for a, b in steps)
        else:
            wrong = found.count(None)
        counts += [len(found), wrong]
    return Exact(*counts)


def read_packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]
