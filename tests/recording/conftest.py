"""What is in the files of a recording."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import av

from roomcall.media import marks


def read_session(folder: Path) -> dict[str, Any]:
    session: dict[str, Any] = json.loads((folder / "session.json").read_text())
    return session


def read_packets(path: Path, kind: str) -> list[bytes]:
    """As they stand in the file."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


@dataclass
class Seen:
    """What a file of `testsrc` shows and lets hear; times in seconds of the file."""

    pictures: list[tuple[float, marks.Mark]]
    flashes: list[float]
    beeps: list[float]

    @property
    def offset(self) -> float:
        """Of picture and sound: the median distance from a flash to its beep."""
        distances = [min((beep - flash for beep in self.beeps), key=abs) for flash in self.flashes]
        return median(distances)

    @property
    def behind(self) -> float:
        """Median distance from the sender's clock to the file's."""
        return median(time - mark.clock for time, mark in self.pictures)


def watch_file(path: Path) -> Seen:
    """Decodes all of it."""
    pictures, lit, beeps = [], [], []
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=48_000)
    heard = False
    with av.open(str(path)) as container:
        for frame in container.decode():
            assert frame.time is not None
            if isinstance(frame, av.VideoFrame):
                if (mark := marks.read(frame)) is not None:
                    pictures.append((frame.time, mark))
                    lit.append((frame.time, marks.is_flash(frame)))
                continue
            for sound in resampler.resample(frame):
                onset = marks.beep_onset(sound)
                if onset is not None and not heard and onset > 0:
                    beeps.append(frame.time + onset)
                heard = onset is not None
    flashes = [b for (_, was), (b, now) in itertools.pairwise(lit) if now and not was]
    return Seen(pictures, flashes, beeps)
