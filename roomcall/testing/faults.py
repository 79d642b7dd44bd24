"""Cameras and microphones with a fault, to see that it is found. Without one they are `testsrc`."""

import asyncio
from fractions import Fraction
from math import ceil
from typing import Literal

import av

from ..media.source import AUDIO_CLOCK, AUDIO_SAMPLES, AUDIO_TIME_BASE, VIDEO_CLOCK, VIDEO_TIME_BASE
from ..media.sources.testcard import Beeps, TestCard


class Camera:
    """Shows the test card at `fps` from `origin` (`loop.time()`) on; after `frozen_after` seconds
    the same picture again and again; nothing but black where `black`."""

    kind: Literal["video"] = "video"

    def __init__(
        self,
        origin: float,
        *,
        size: tuple[int, int] = (320, 240),
        fps: float = 15,
        black: bool = False,
        frozen_after: float | None = None,
    ) -> None:
        self._origin = origin
        self._fps = Fraction(fps).limit_denominator(1001)
        self._card = TestCard(size, self._fps)
        self._black = _black(size) if black else None
        self._last = None if frozen_after is None else int(frozen_after * self._fps)
        self._number: int | None = None

    async def recv(self) -> av.VideoFrame:
        if self._number is None:  # what was to be seen before anybody looked is gone
            self._number = ceil(_since(self._origin) * self._fps)
        time = float(self._number / self._fps)
        await _sleep_until(self._origin + time)
        number = self._number if self._last is None else min(self._number, self._last)
        clock = self._origin + float(number / self._fps)
        frame = self._card.frame(number, clock) if self._black is None else self._black
        frame.pts, frame.time_base = round(time * VIDEO_CLOCK), VIDEO_TIME_BASE
        self._number += 1
        return frame


class Microphone:
    """Hears the beeps of a `Camera` of the same `origin` and `fps`, `late` by so many seconds;
    nothing at all where `silent`."""

    kind: Literal["audio"] = "audio"

    def __init__(
        self, origin: float, *, fps: float = 15, late: float = 0.0, silent: bool = False
    ) -> None:
        self._origin = origin
        self._beeps = Beeps(Fraction(fps).limit_denominator(1001))
        self._late = round(late * AUDIO_CLOCK)
        self._silent = silent
        self._given: int | None = None  # samples

    async def recv(self) -> av.AudioFrame:
        if self._given is None:
            self._given = ceil(_since(self._origin) * AUDIO_CLOCK / AUDIO_SAMPLES) * AUDIO_SAMPLES
        await _sleep_until(self._origin + self._given / AUDIO_CLOCK)
        frame = av.AudioFrame("s16", "stereo", AUDIO_SAMPLES)
        sound = self._beeps.samples(self._given - self._late, AUDIO_SAMPLES)
        frame.planes[0].update(bytes(len(sound)) if self._silent else sound)
        frame.sample_rate, frame.time_base = AUDIO_CLOCK, AUDIO_TIME_BASE
        frame.pts = self._given
        self._given += AUDIO_SAMPLES
        return frame


def _since(origin: float) -> float:
    return asyncio.get_running_loop().time() - origin


async def _sleep_until(due: float) -> None:
    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


def _black(size: tuple[int, int]) -> av.VideoFrame:
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame
