"""Are flashes and beeps where they were, in what `roomcall compose` makes of a recording?
`make bench BENCH=composed ARGS=FOLDER`, of one that `benchmarks.recording --keep` has kept
(`FOLDER/marks`). With `--output FILE` of one that is composed already.

The table has how far each flash and beep of the recording's files is from the nearest in the
output, in ms: the median, at most, how many of them are farther than 60, and how many there are. A
flash counts where its picture is seen from before it on; a beep where no other sounds in the half
second before it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import click
from rich.console import Console
from rich.table import Table

from roomcall.media import marks
from roomcall.recording.composing import read_session
from roomcall.recording.layout import Scene, beginning, cells, fit, scenes
from roomcall.recording.session import Session

from .watching import watch

SIZE = (1280, 720)
MOST = 0.06  # seconds
ALONE = 0.5  # seconds without another beep before one
SETTLED = 0.3  # seconds from the beginning of a scene, whose first flash may have begun before

Spot = tuple[int, int, int, int]  # left, top, width, height


def spots(session: Session, scene: Scene) -> Iterator[tuple[int, Spot]]:
    """Where the picture of each file is in a scene."""
    for place, cell in zip(scene.files.values(), cells(len(scene.files), SIZE), strict=True):
        track = next((t for t in session.files[place].tracks if t.kind == "video"), None)
        if track is None:
            continue
        shape: Any = (track.width, track.height)
        width, height = fit(shape, (cell.width, cell.height))
        left = cell.left + ((cell.width - width) // 2 & ~1)
        yield place, (left, cell.top + ((cell.height - height) // 2 & ~1), width, height)


class Beeps:
    """When beeps begin, of what is heard frame by frame."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._lasts = False
        self._resampler = av.AudioResampler(format="s16", layout="stereo", rate=48_000)

    def hear(self, frame: av.AudioFrame) -> None:
        assert frame.time is not None
        for sound in self._resampler.resample(frame):
            onset = marks.beep_onset(sound)
            if onset is not None and not self._lasts:
                self.times.append(frame.time + onset)
            self._lasts = onset is not None


def watch_output(path: Path, session: Session) -> tuple[dict[int, list[float]], list[float]]:
    """When each file's picture flashes there, and when it beeps."""
    whole = scenes(session)
    flashes: dict[int, list[float]] = {place: [] for place in range(len(session.files))}
    lit: dict[int, bool] = {}
    beeps = Beeps()
    with av.open(str(path)) as container:
        for frame in container.decode():
            assert frame.time is not None
            if isinstance(frame, av.VideoFrame):
                scene = next((s for s in whole if s.start <= frame.time < s.end), whole[-1])
                luma = frame.to_ndarray(format="gray")
                seen = {}
                for place, (left, top, width, height) in spots(session, scene):
                    part = luma[top : top + height, left : left + width].copy()
                    picture = av.VideoFrame.from_ndarray(part, format="gray")
                    if marks.read(picture) is not None:
                        seen[place] = marks.is_flash(picture)
                        if seen[place] and not lit.get(place, True):
                            flashes[place].append(frame.time)
                lit = seen
                continue
            beeps.hear(frame)
    return flashes, beeps.times


def distances(wanted: list[float], found: list[float]) -> list[float]:
    return [min((f - w for f in found), key=abs, default=float("inf")) for w in wanted]


def add_row(table: Table, what: str, found: list[float]) -> None:
    far = sum(abs(distance) > MOST for distance in found)
    if found:
        most = 1000 * max(found, key=abs)
        table.add_row(
            *(what, f"{1000 * statistics.median(found):.1f}", f"{most:.1f}", f"{far}"),
            str(len(found)),
        )


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--output", type=click.Path(exists=True, path_type=Path))
def main(folder: Path, output: Path | None) -> None:
    session = read_session(folder)
    with tempfile.TemporaryDirectory() as made:
        if output is None:
            output, begun = Path(made) / "all.mp4", time.monotonic()
            command = ("-m", "roomcall_cli", "compose", str(folder), "-o", str(output))
            subprocess.run([sys.executable, *command], check=True)
            print(f"composed in {time.monotonic() - begun:.0f} s")
        flashes, beeps = watch_output(output, session)
    zero, whole = beginning(session), scenes(session)
    table = Table(title="ms from where they were", title_justify="left")
    for column in ("", "median", "most", f"over {1000 * MOST:.0f}", "of"):
        table.add_column(column, justify="right")
    sounds: list[float] = []
    tones: list[float] = []
    for place, file in enumerate(session.files):
        seen, at = watch(folder / file.file), file.offset - zero
        sounds += [at + beep for beep in seen.beeps]
        tones += [at + tone for tone in seen.tones]
        shown = [s for s in whole if place in s.files.values()]
        wanted = [
            at + flash
            for flash in seen.flashes
            if any(s.start + SETTLED < at + flash < s.end - SETTLED for s in shown)
        ]
        add_row(table, f"flashes of {file.file}", distances(wanted, flashes[place]))
    alone = [b for b in sounds if not any(b - ALONE < tone < b - 0.001 for tone in tones)]
    add_row(table, "beeps", distances(alone, beeps))
    Console().print(table)


if __name__ == "__main__":
    main()
