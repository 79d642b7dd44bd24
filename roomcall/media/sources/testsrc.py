"""`testsrc`: a moving picture with mark and flash, and a tone that beeps with the flash."""

from fractions import Fraction
from typing import Literal

import av

from ..clock import Clock, Timeline
from ..source import (
    AUDIO_CLOCK,
    AUDIO_SAMPLES,
    VIDEO_CLOCK,
    VIDEO_TIME_BASE,
    Kind,
    SourceEnded,
    Sources,
    VideoOptions,
)
from .file import sound_frame
from .testcard import Beeps, TestCard, even

DEFAULT_SIZE = (640, 360)
DEFAULT_FPS = 30.0
_LATE = 0.2  # seconds: pictures later than this are left out


class TestVideo:
    """Frames marked with their number and with `loop.time()` at which they are to be seen."""

    __test__ = False  # for pytest, which takes every Test… for a test
    kind: Literal["video"] = "video"

    def __init__(self, timeline: Timeline, card: TestCard) -> None:
        self._timeline = timeline
        self._card = card
        self._number = 0
        self._closed = False

    async def recv(self) -> av.VideoFrame:
        if self._closed:
            raise SourceEnded
        timeline, fps = self._timeline, self._card.fps
        late = timeline.elapsed() - float(self._number / fps)
        if late > _LATE:
            self._number += int(late * fps)
        time = float(self._number / fps)
        await timeline.sleep_until(time)
        if self._closed:
            raise SourceEnded
        due = timeline.origin + time
        frame = self._card.frame(self._number, due)
        frame.time_base = VIDEO_TIME_BASE
        frame.pts = round(due * VIDEO_CLOCK)
        self._number += 1
        return frame

    async def close(self) -> None:
        self._closed = True


class TestAudio:
    """Silence, and a beep of 0.1 s each second."""

    __test__ = False
    kind: Literal["audio"] = "audio"

    def __init__(self, timeline: Timeline, beeps: Beeps) -> None:
        self._timeline = timeline
        self._beeps = beeps
        self._given = 0  # samples
        self._closed = False

    async def recv(self) -> av.AudioFrame:
        if self._closed:
            raise SourceEnded
        await self._timeline.sleep_until(self._given / AUDIO_CLOCK)
        if self._closed:
            raise SourceEnded
        origin = round(self._timeline.origin * AUDIO_CLOCK)
        sound = self._beeps.samples(self._given, AUDIO_SAMPLES)
        frame = sound_frame(sound, origin + self._given)
        self._given += AUDIO_SAMPLES
        return frame

    async def close(self) -> None:
        self._closed = True


def open_testsrc(kinds: set[Kind], options: VideoOptions, clock: Clock) -> Sources:
    """Picture and sound on one clock, or one of them."""
    timeline = Timeline(clock)
    fps = Fraction(options.fps or DEFAULT_FPS).limit_denominator(1001)
    size = even(options.size or DEFAULT_SIZE)
    return Sources(
        TestVideo(timeline, TestCard(size, fps)) if "video" in kinds else None,
        TestAudio(timeline, Beeps(fps)) if "audio" in kinds else None,
    )
