"""The moving picture and the beeping tone of `testsrc`, frame by frame: no clock, no waiting.

Rule 1. Frame n is seen at n / fps seconds. Flash and beep share their instants: the first frame at
        or after each full second.
Rule 2. What moves is a window that slides over a sheet painted once, so a frame costs its copying.
"""

from array import array
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from math import ceil, cos, floor, pi

import av

from ..marks import FLASH, PANEL_TOP, Mark, beep_wave, draw, draw_lamp
from ..source import AUDIO_CLOCK

_SPEED = 2  # luma lines a frame
_BYTES_PER_SAMPLE = 4  # s16, stereo
_BLACK, _NEUTRAL = b"\x10", b"\x80"


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The next smaller size that yuv420p can hold; at least 2×2."""
    width, height = size
    return max(2, width & ~1), max(2, height & ~1)


def flash_frame(second: int, fps: Fraction) -> int:
    """The number of the frame with which the flash of a second begins."""
    return ceil(second * fps)


def is_lit(number: int, fps: Fraction) -> bool:
    """Whether the lamp is lit in a frame."""
    first = flash_frame(floor(number / fps), fps)
    return first <= number < first + max(1, round(FLASH * fps))


class TestCard:
    """Coloured bars that glide, over a dark panel with lamp and mark."""

    __test__ = False  # for pytest, which takes every Test… for a test

    def __init__(self, size: tuple[int, int], fps: Fraction) -> None:
        """`size` in pixels, to be even."""
        self.width, self.height = size
        self.fps = fps
        strides = [plane.line_size for plane in av.VideoFrame(*size, "yuv420p").planes]
        # The panel's top is even, so that its chroma begins with it.
        self._top = int(self.height * PANEL_TOP) & ~1
        self._period = max(4, self.width // 4 & ~3)
        period = self._period // 2
        self._panels = [
            _BLACK * (strides[0] * (self.height - self._top)),
            _NEUTRAL * (strides[1] * (self.height - self._top) // 2),
            _NEUTRAL * (strides[2] * (self.height - self._top) // 2),
        ]
        # A sheet is as tall as its window and one period more. Luma goes round twice in a period
        # of hue, and chroma has half the lines.
        self._sheets = [
            _sheet(strides[0], self._top, _wave(self._period, 128, 60, turns=2)),
            _sheet(strides[1], self._top // 2, _wave(period, 128, 50, phase=0.0)),
            _sheet(strides[2], self._top // 2, _wave(period, 128, 50, phase=0.25)),
        ]

    def frame(self, number: int, clock: float) -> av.VideoFrame:
        """Frame `number`, marked with the sender's `clock` in seconds; not stamped."""
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        offset = number * _SPEED % self._period
        for index, plane in enumerate(frame.planes):
            pixels = memoryview(plane)
            start = (offset if index == 0 else offset // 2) * plane.line_size
            length = (self._top if index == 0 else self._top // 2) * plane.line_size
            pixels[:length] = self._sheets[index][start : start + length]
            pixels[length:] = self._panels[index]
        luma = frame.planes[0]
        pixels = memoryview(luma)
        if is_lit(number, self.fps):
            draw_lamp(pixels, luma.line_size, self.width, self.height, lit=True)
        draw(pixels, luma.line_size, self.width, self.height, Mark(number, clock))
        return frame


def _wave(period: int, middle: int, swing: int, *, turns: int = 1, phase: float = 0.0) -> bytes:
    return bytes(
        round(middle + swing * cos(2 * pi * (turns * i / period + phase))) for i in range(period)
    )


def _sheet(stride: int, lines: int, wave: bytes) -> memoryview:
    """Diagonal bars: each line is the one above it, moved by one pixel."""
    strip = wave * (stride // len(wave) + 2)
    return memoryview(b"".join(strip[y % len(wave) :][:stride] for y in range(lines + len(wave))))


class Beeps:
    """The sound of the card: silence, and a beep with every flash."""

    def __init__(self, fps: Fraction) -> None:
        self._fps = fps

    @cached_property
    def _beep(self) -> bytes:
        return array("h", [s for s in beep_wave(AUDIO_CLOCK) for _ in range(2)]).tobytes()

    def samples(self, start: int, count: int) -> bytes:
        """Packed s16 stereo at 48 kHz: `count` samples from number `start` on."""
        sound = bytearray(count * _BYTES_PER_SAMPLE)
        length = len(self._beep) // _BYTES_PER_SAMPLE
        for onset in self._onsets(start - length, start + count):
            first, last = max(start, onset), min(start + count, onset + length)
            if first < last:
                sound[(first - start) * 4 : (last - start) * 4] = self._beep[
                    (first - onset) * 4 : (last - onset) * 4
                ]
        return bytes(sound)

    def _onsets(self, start: int, end: int) -> Iterator[int]:
        for second in range(max(0, start // AUDIO_CLOCK - 1), end // AUDIO_CLOCK + 1):
            yield round(flash_frame(second, self._fps) * AUDIO_CLOCK / self._fps)
