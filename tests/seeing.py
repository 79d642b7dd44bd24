"""What is to be seen and heard of a video that `roomcall.testing.media` has made."""

import asyncio
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
    """For three seconds every frame of a video of `length` seconds, in order, at full rate, and a
    beep within 80 ms of each flash."""
    assert peer.video is not None and peer.audio is not None
    pictures, sounds = await asyncio.gather(watch(peer.video, 3), watch(peer.audio, 3))
    read = [marks.read(frame) for frame in pictures]
    numbers = [mark.number for mark in read if mark is not None]
    assert len(numbers) == len(pictures), "a picture cannot be read"
    steps = {(b - a) % (fps * length) for a, b in zip(numbers, numbers[1:], strict=False)}
    assert steps == {1}, f"not every picture came, in order: {numbers}"
    span = pictures[-1].time - pictures[0].time
    assert (len(pictures) - 1) / span == pytest.approx(fps, abs=1)
    flashes = _onsets([(frame.time, marks.is_flash(frame)) for frame in pictures])
    beeps = [
        frame.time + onset
        for frame in sounds
        if (onset := marks.beep_onset(frame)) is not None and onset > 0
    ]
    assert len(flashes) >= 2
    for flash in flashes[:2]:
        assert min((abs(beep - flash) for beep in beeps), default=9) <= 0.08, (flashes, beeps)


def _onsets(times: list[tuple[float, bool]]) -> list[float]:
    return [b for (_, was), (b, lit) in zip(times, times[1:], strict=False) if lit and not was]
