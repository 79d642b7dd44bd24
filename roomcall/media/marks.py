"""Marks that a machine reads in a picture, and a beep that it hears: what `testsrc` carries.

Rule 1. A mark is a frame number (32 bits) and the sender's clock (40 bits of milliseconds), with a
        check sum of 24 bits: 96 cells, black or white, in 4 rows over the foot of the picture.
        Places are shares of width and height, so a mark survives scaling.
Rule 2. What is not read for certain is None: a grey cell, a wrong check sum, a tiny picture.
Rule 3. Above the cells is a lamp, black but for the flash. A flash and a beep begin at the first
        frame of each second and last `FLASH` seconds: their distance is the offset of picture and
        sound.
Rule 4. Luma alone is written and read (8 bits a pixel, the first plane), and of each cell only its
        middle is read.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import AudioFrame, VideoFrame

FLASH = 0.1  # seconds that a flash and a beep last
BEEP_PITCH = 1000  # Hz
# The dark part of the picture that holds lamp and cells begins here (a share of its height).
PANEL_TOP = 13 / 20

_COLUMNS, _ROWS = 24, 4
_BYTES = _COLUMNS * _ROWS // 8
_CHECK_BYTES = 3
_CLOCK_MODULUS = 1 << 40  # ms: 34 years
_BLACK, _WHITE = 16, 235
_SURE_BLACK, _SURE_WHITE = 96, 156  # between them a cell is grey: not read
_LAMP_WHITE = 170
_LAMP_TOP, _LAMP_BOTTOM = 13.5 / 20, 15 / 20
_LAMP_LEFT, _LAMP_RIGHT = 0.4, 0.6

_QUIET = 300  # s16: a peak below is no beep (−41 dBFS)
_DECIMATION = 4  # of the samples, one in so many is looked at: 1 kHz is far below the half rate
_TONE_SHARE = 0.05  # of a frame's energy at the beep's pitch; a pure tone has 0.5, noise 0.004


@dataclass(frozen=True, slots=True)
class Mark:
    """`number` of the frame; `clock` of its sender in seconds, to the millisecond."""

    number: int
    clock: float


def draw(plane: memoryview, line_size: int, width: int, height: int, mark: Mark) -> None:
    """Write a mark into a luma plane, of `line_size` bytes a line."""
    bits = format(int.from_bytes(_encode(mark), "big"), f"0{_COLUMNS * _ROWS}b")
    edges = _column_edges(width)
    tops = _row_edges(height)
    margin = bytes([_BLACK]) * edges[0]
    tail = bytes([_BLACK]) * (line_size - edges[-1])
    for row in range(_ROWS):
        cells = [
            (b"\xeb" if bit == "1" else b"\x10") * (right - left)
            for bit, left, right in zip(
                bits[row * _COLUMNS : (row + 1) * _COLUMNS], edges, edges[1:], strict=False
            )
        ]
        lines = (margin + b"".join(cells) + tail) * (tops[row + 1] - tops[row])
        start = tops[row] * line_size
        plane[start : start + len(lines)] = lines


def draw_lamp(plane: memoryview, line_size: int, width: int, height: int, lit: bool) -> None:
    """Write the lamp into a luma plane."""
    left, right = int(width * _LAMP_LEFT), int(width * _LAMP_RIGHT)
    line = bytes([_WHITE if lit else _BLACK]) * (right - left)
    for y in range(int(height * _LAMP_TOP), int(height * _LAMP_BOTTOM)):
        plane[y * line_size + left : y * line_size + right] = line


def read(frame: "VideoFrame") -> Mark | None:
    """The mark in a frame of a planar 8 bit format (yuv420p and its like), or None."""
    luma = frame.planes[0]
    cells = _cell_middles(frame.width, frame.height, luma.line_size)
    if cells is None:
        return None
    samples = cells(memoryview(luma))
    value = 0
    for sample in samples:
        if sample >= _SURE_WHITE:
            value = value << 1 | 1
        elif sample <= _SURE_BLACK:
            value <<= 1
        else:
            return None
    return _decode(value.to_bytes(_BYTES, "big"))


def is_flash(frame: "VideoFrame") -> bool:
    """Whether the lamp is lit. Meaningful only for a frame that has a mark."""
    luma = frame.planes[0]
    pixels = memoryview(luma)
    return all(
        pixels[int(frame.height * y) * luma.line_size + int(frame.width * x)] >= _LAMP_WHITE
        for y in (0.69, 0.71, 0.73)
        for x in (0.45, 0.5, 0.55)
    )


def is_beep(frame: "AudioFrame") -> bool:
    """Whether a frame (packed s16, at least 2 ms of tone in 20) holds the beep."""
    samples = _first_channel(frame)[::_DECIMATION]
    if max(map(abs, samples), default=0) < _QUIET:
        return False
    # Goertzel's algorithm: the energy at one frequency.
    rate = frame.sample_rate / _DECIMATION
    coefficient = 2 * cos(2 * pi * BEEP_PITCH / rate)
    before = last = 0.0
    energy = 0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
        energy += sample * sample
    at_pitch = last * last + before * before - coefficient * last * before
    return at_pitch >= _TONE_SHARE * energy * len(samples)


def beep_onset(frame: "AudioFrame") -> float | None:
    """Seconds from the start of a frame until its beep has set in; None without a beep."""
    if not is_beep(frame):
        return None
    samples = _first_channel(frame)
    half = max(map(abs, samples)) // 2
    index = next(i for i, sample in enumerate(samples) if abs(sample) >= half)
    return index / frame.sample_rate


def beep_wave(rate: int) -> "Iterator[int]":
    """The samples (s16) of one beep, faded in and out within half a ms."""
    count = round(FLASH * rate)
    fade = rate / 2000
    for i in range(count):
        envelope = min(1.0, (i + 1) / fade, (count - i) / fade)
        yield round(8000 * envelope * sin(2 * pi * BEEP_PITCH * i / rate))


def _first_channel(frame: "AudioFrame") -> list[int]:
    channels = frame.layout.nb_channels
    # The buffer of a plane may be longer than its samples.
    return memoryview(frame.planes[0]).cast("h")[: frame.samples * channels].tolist()[::channels]


def _encode(mark: Mark) -> bytes:
    clock = round(mark.clock * 1000) % _CLOCK_MODULUS
    data = (mark.number & 0xFFFFFFFF).to_bytes(4, "big") + clock.to_bytes(5, "big")
    return data + _check_sum(data)


def _decode(code: bytes) -> Mark | None:
    data = code[:-_CHECK_BYTES]
    if _check_sum(data) != code[-_CHECK_BYTES:]:
        return None
    return Mark(int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big") / 1000)


def _check_sum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")[:_CHECK_BYTES]


@lru_cache(maxsize=16)
def _column_edges(width: int) -> list[int]:
    """Where each column begins, and the last one ends: one column is left free on either side."""
    return [width * (i + 1) // (_COLUMNS + 2) for i in range(_COLUMNS + 1)]


@lru_cache(maxsize=16)
def _row_edges(height: int) -> list[int]:
    """The rows lie in the last 4 twentieths of the height, but for half a row at the foot."""
    return [height * (31 + 2 * i) // 40 for i in range(_ROWS + 1)]


@lru_cache(maxsize=16)
def _cell_middles(width: int, height: int, line_size: int) -> "itemgetter[tuple[int, ...]] | None":
    """Takes the middle of each cell out of a plane in one call; None where cells are too small."""
    if width < 4 * (_COLUMNS + 2) or height < 60:
        return None
    xs = _column_edges(width)
    ys = _row_edges(height)
    return itemgetter(
        *(
            (ys[row] + ys[row + 1]) // 2 * line_size + (xs[column] + xs[column + 1]) // 2
            for row in range(_ROWS)
            for column in range(_COLUMNS)
        )
    )
