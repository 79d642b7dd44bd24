"""What a recorded file of `testsrc` shows and lets hear. Reading one is most of a core's work for
some time: it is done behind all else."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy

from roomcall.media import marks
from roomcall.recording.session import File

AROUND = 0.5  # seconds within which a flash has its beep
NEXT = 0.025  # seconds from one sound to the next, but where one is missing
PAUSE = 0.1  # seconds without a sound, after which a beep may have been on its way
BEFORE = 0.2  # seconds without a beep, before one that is taken for a beginning


@dataclass
class Watched:
    """Times in seconds of the file. `clocks` has what the sender's clock was at each picture."""

    times: list[float] = field(default_factory=list)
    clocks: list[float] = field(default_factory=list)
    flashes: list[float] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    tones: list[float] = field(default_factory=list)  # of each sound that has some of a beep
    sounds: list[float] = field(default_factory=list)
    damaged: int = 0  # packets that cannot be decoded

    def offsets(self) -> tuple[list[float], list[float]]:
        """Flashes that have a beep, and how much later that is."""
        found = []
        for flash in self.flashes:
            nearest = min((beep - flash for beep in self.beeps), key=abs, default=AROUND)
            if abs(nearest) < AROUND:
                found.append((flash, nearest))
        return [flash for flash, _ in found], [offset for _, offset in found]

    @property
    def is_in_order(self) -> bool:
        """Whether every sound is later than the one before."""
        return all(a < b for a, b in itertools.pairwise(self.sounds))


def watch(path: Path) -> Watched:
    """Decodes all of it. A flash or a beep of which the beginning was lost does not count."""
    found = Watched()
    before: tuple[int, bool] | None = None
    quiet, last = 0.0, 0.0  # since when; the last sound
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=48_000)
    with av.open(str(path)) as container:
        for frame in _decode(container, found):
            assert frame.time is not None
            if isinstance(frame, av.VideoFrame):
                mark = marks.read(frame)
                if mark is None:
                    before = None
                    continue
                if before is not None and before[0] == mark.number:
                    continue  # the same picture once more
                lit = marks.is_flash(frame)
                if lit and before == (mark.number - 1, False):
                    found.flashes.append(frame.time)
                before = mark.number, lit
                found.times.append(frame.time)
                found.clocks.append(mark.clock)
                continue
            found.sounds.append(frame.time)
            for sound in resampler.resample(frame):
                onset = marks.beep_onset(sound)
                if frame.time - last > PAUSE:
                    quiet = frame.time
                if onset is not None:
                    found.tones.append(frame.time + onset)
                    if frame.time - quiet > BEFORE and frame.time - last < NEXT:
                        found.beeps.append(frame.time + onset)
                    quiet = frame.time
            last = frame.time
    return found


def _decode(container: Any, found: Watched) -> Iterator[Any]:
    for packet in container.demux():
        try:
            yield from packet.decode()
        except av.FFmpegError:
            found.damaged += 1


def watch_behind_all_else(path: Path) -> Watched:
    """For a process of its own."""
    os.nice(10)
    return watch(path)


def lags(what: Watched, file: File) -> Any:
    """How much later than when it was made each picture stands on the recording's clock, but for a
    constant that all files share."""
    return numpy.array(what.times) + file.offset - numpy.array(what.clocks)


def apart(a: tuple[Watched, File], b: tuple[Watched, File]) -> Any:
    """How much later the second has what was made at the same moment, at each picture that both
    have. (The clocks of the marks are one clock.)"""
    clocks, of_b = numpy.array(a[0].clocks), numpy.array(b[0].clocks)
    both = (clocks >= of_b[0]) & (clocks <= of_b[-1])
    return numpy.interp(clocks[both], of_b, lags(*b)) - lags(*a)[both]


def slope(times: list[float], values: Any) -> float:
    """Of a line through them, in ms a minute."""
    return 60_000 * float(numpy.polyfit(times, values, 1)[0])
