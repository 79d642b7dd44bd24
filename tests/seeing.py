"""What is to be seen and heard of a video that `roomcall.testing.media` has made."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Collection
from fractions import Fraction
from typing import Any

import av
import pytest

import roomcall
from roomcall.media import marks
from roomcall.media.sources.testcard import TestCard
from tests.machine import Load


class Numbered:
    """A source of marked pictures that leaves none out when it is late, as `testsrc` does: whatever
    is missing was lost on the way."""

    kind = "video"

    def __init__(self, size: tuple[int, int] = (320, 240), fps: int = 15) -> None:
        self._card = TestCard(size, Fraction(fps))
        self._number = 0
        self._begun = asyncio.get_running_loop().time()

    async def recv(self) -> av.VideoFrame:
        now = asyncio.get_running_loop().time()
        due = self._begun + float(self._number / self._card.fps)
        await asyncio.sleep(max(0.0, due - now))
        frame = self._card.frame(self._number, due)
        frame.pts, frame.time_base = self._number, 1 / self._card.fps
        self._number += 1
        return frame


async def see_and_hear(peer: roomcall.Peer) -> tuple[list[Any], list[Any]]:
    """The pictures of four seconds, and the sounds that belong to them. The first picture may come
    much later than the first sound: it has to be a key frame."""
    assert peer.video is not None and peer.audio is not None
    watching = asyncio.create_task(watch(peer.video, 4))
    sounds: list[Any] = []
    async for sound in peer.audio.frames():
        sounds.append(sound)
        if watching.done() and sound.time >= watching.result()[-1].time:
            return watching.result(), sounds
    raise AssertionError(f"it has ended after {len(sounds)} sounds: {await watching}")


async def watch(track: roomcall.RemoteTrack, seconds: float) -> list[Any]:
    """Frames of so many seconds, by their own time."""
    frames: list[Any] = []
    async for frame in track.frames():
        frames.append(frame)
        if frame.time - frames[0].time >= seconds:
            return frames
    raise AssertionError(f"it has ended after {len(frames)} frames")


async def renamed(call: roomcall.Call, old: Collection[str]) -> dict[str, str]:
    """The new ids of all of these, after the server has forgotten everybody. Of those who take
    their time it is told later than of the others."""
    found: dict[str, str] = {}
    async with asyncio.timeout(40):
        async for event in call:
            if isinstance(event, roomcall.SignalingRestored):
                assert not event.resumed
                found |= event.renamed
                if found.keys() >= set(old):
                    return found
    raise AssertionError("the call has ended")


async def runs_dry(packets: AsyncGenerator[Any, None]) -> None:
    """Wait until nothing has come for a second, after what was on its way."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20) as whole:
            while True:
                await asyncio.wait_for(anext(packets), 1)
    assert not whole.expired()
    await packets.aclose()


def assert_in_sync(pictures: list[Any], sounds: list[Any], *, fps: int, load: Load) -> None:
    """In four seconds: full rate, and a beep within 80 ms of a flash, once sender reports have tied
    the two to one clock. Where the machine had nothing left, pictures are left out, and a flash may
    be seen late by as long as it lasts."""
    saturated = load.is_saturated()
    tied = pictures[0].time + 1.8  # the first report comes within 1.5 s
    times = [(frame.time, marks.is_flash(frame)) for frame in pictures if frame.time >= tied]
    span = times[-1][0] - times[0][0]
    assert (len(times) - 1) / span == pytest.approx(fps, abs=1) or saturated
    flashes = [b for (_, was), (b, lit) in itertools.pairwise(times) if lit and not was]
    beeps = [
        frame.time + onset
        for frame in sounds
        if (onset := marks.beep_onset(frame)) is not None and onset > 0
    ]
    assert len(beeps) >= 3 and (flashes or saturated)
    apart = 0.08 + (marks.FLASH if saturated else 0.0)
    for flash in flashes:
        if flash < sounds[-1].time - 0.2:  # a beep after the last sound is not heard any more
            assert min(abs(beep - flash) for beep in beeps) <= apart, (flashes, beeps)


def assert_every_picture(pictures: list[Any], *, cycle: int, load: Load) -> None:
    """All can be read, and follow each other as in a video of `cycle` pictures that loops; where
    the machine had nothing left, some may be left out, as many as come in between."""
    read = [marks.read(frame) for frame in pictures]
    numbers = [mark.number for mark in read if mark is not None]
    assert len(numbers) == len(pictures), "a picture cannot be read"
    # It stands where the peer's clock is set back (`PlayoutClock`), and never goes back itself.
    assert all(a.time <= b.time for a, b in itertools.pairwise(pictures)), "not in order"
    steps = {(b - a) % cycle for a, b in itertools.pairwise(numbers)}
    assert steps == {1} or load.is_saturated(), f"not every picture came: {numbers}"
