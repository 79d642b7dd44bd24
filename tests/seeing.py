"""What is to be seen and heard of a video that `roomcall.testing.media` has made."""

import asyncio
import itertools
from typing import Any

import pytest

import roomcall
from roomcall.media import marks


async def watch(track: roomcall.RemoteTrack, seconds: float) -> list[Any]:
    """Frames of so many seconds, by their own time."""
    frames: list[Any] = []
    async for frame in track.frames():
        frames.append(frame)
        if frame.time - frames[0].time >= seconds:
            return frames
    raise AssertionError(f"it has ended after {len(frames)} frames")


async def assert_all_seen_in_sync(peer: roomcall.Peer, *, fps: int, length: int) -> None:
    """For four seconds every frame of a video of `length` seconds, in order; at full rate, and with
    a beep within 80 ms of a flash, once sender reports have tied the two to one clock."""
    assert peer.video is not None and peer.audio is not None
    pictures, sounds = await asyncio.gather(watch(peer.video, 4), watch(peer.audio, 4))
    read = [marks.read(frame) for frame in pictures]
    numbers = [mark.number for mark in read if mark is not None]
    assert len(numbers) == len(pictures), "a picture cannot be read"
    steps = {(b - a) % (fps * length) for a, b in zip(numbers, numbers[1:], strict=False)}
    assert steps == {1}, f"not every picture came, in order: {numbers}"
    tied = pictures[0].time + 1.8  # the first report comes within 1.5 s
    times = [(frame.time, marks.is_flash(frame)) for frame in pictures if frame.time >= tied]
    span = times[-1][0] - times[0][0]
    assert (len(times) - 1) / span == pytest.approx(fps, abs=1)
    flashes = [b for (_, was), (b, lit) in itertools.pairwise(times) if lit and not was]
    beeps = [
        frame.time + onset
        for frame in sounds
        if (onset := marks.beep_onset(frame)) is not None and onset > 0
    ]
    assert flashes
    # A later one may be at the very end, where its beep is not heard any more.
    for flash in flashes[:1]:
        assert min((abs(beep - flash) for beep in beeps), default=9) <= 0.08, (flashes, beeps)
