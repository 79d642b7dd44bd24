"""Media files made once a session, and a clock that jumps instead of waiting."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from roomcall.media import marks
from roomcall.media.source import SourceEnded, Sources, VideoOptions
from roomcall.media.sources import open_sources
from roomcall.testing.media import make_video

START = 1000.0


class VirtualClock:
    """Waiting takes no time."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    async def sleep_until(self, time: float) -> None:
        self.time = max(self.time, time)
        await asyncio.sleep(0)


@dataclass
class Played:
    """What came out of sources; times are seconds since their start."""

    numbers: list[int | None] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    sizes: set[tuple[int, int, str]] = field(default_factory=set)
    sound_stamps: list[int] = field(default_factory=list)
    flashes: list[float] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def offsets(self) -> list[float]:
        return [beep - flash for flash, beep in zip(self.flashes, self.beeps, strict=False)]


Open = Callable[..., Awaitable[Sources]]
Play = Callable[[Sources, float], Awaitable[Played]]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def opened(clock: VirtualClock) -> AsyncIterator[Open]:
    """`open_sources` on the virtual clock; closed, and without a thread left, at the end."""
    before = set(threading.enumerate())
    everything: list[Sources] = []

    async def open_them(
        video: object = None, audio: object = None, *, loop: bool = True, **options: object
    ) -> Sources:
        wanted = VideoOptions(**options)  # type: ignore[arg-type]
        sources = await open_sources(video, audio, wanted, loop=loop, clock=clock)
        everything.append(sources)
        return sources

    yield open_them
    for sources in everything:
        await sources.close()
    assert set(threading.enumerate()) <= before


async def _play(sources: Sources, seconds: float) -> Played:
    """Take frames in the order of their times, until `seconds` or the end."""
    played = Played()
    ends = START + seconds
    at = {
        kind: START - 1.0
        for kind, source in (("video", sources.video), ("audio", sources.audio))
        if source is not None
    }
    lit = beeping = False
    while at and min(at.values()) < ends:
        kind = min(at, key=lambda kind: (at[kind], kind))
        try:
            if kind == "video":
                assert sources.video is not None
                frame = await sources.video.recv()
                at[kind] = frame.time
                mark = marks.read(frame)
                played.numbers.append(mark.number if mark else None)
                played.times.append(frame.time - START)
                played.sizes.add((frame.width, frame.height, frame.format.name))
                if marks.is_flash(frame) and not lit:
                    played.flashes.append(frame.time - START)
                lit = marks.is_flash(frame)
            else:
                assert sources.audio is not None
                sound = await sources.audio.recv()
                assert sound.time is not None
                at[kind] = sound.time
                played.sound_stamps.append(sound.pts or 0)
                onset = marks.beep_onset(sound)
                if onset is not None and not beeping:
                    played.beeps.append(sound.time + onset - START)
                beeping = onset is not None
        except SourceEnded:
            played.ended = True
            del at[kind]
    return played


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def ordinary(files: Path) -> Path:
    """An mp4 of 2 s: H.264 with B-frames, AAC."""
    return make_video(files / "ordinary.mp4", seconds=2, size=(320, 240))


@pytest.fixture
def play() -> Play:
    return _play
