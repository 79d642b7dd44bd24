"""Is a recording in sync, whole, and cheap? `make bench BENCH=recording`, or with less:
`make bench BENCH=recording ARGS="--minutes 1 --kills 3"`. It needs Debian's chromium and ffmpeg.

Processes of their own send `testsrc` at 1280×720 and 30 pictures a second; `roomcall record` has a
bad network. One comes when a quarter of the time is over, one is muted for a twentieth in the
middle. Of two small ones the clocks are fast and slow. Then every file is decoded.

The first table has of each file: how far its beeps are from their flashes, in the median and at
most, and what that grows a minute; what the picture's place on the recording's clock grows a
minute; how often something was lost for good, and cannot be decoded; and whether each sound is
later than the one before. The second has how far apart what two
have sent at the same moment lies in the recording. The third: the recorder's CPU seconds a second
and participant, beside aiortc's `MediaRecorder`, with 1280×720; how many packets are not what was
sent, on a clean network; and what is missing in files whose recorder was killed (SIGKILL) at random
moments: in the file, and when Chromium plays it.
"""

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import msgspec
import numpy
from rich.console import Console
from rich.table import Table

from roomcall.recording.session import File, Session

from . import recorders
from .kills import kill
from .watching import Watched, apart, lags, slope, watch_behind_all_else

Seen = dict[str, tuple[Watched, File]]


def read(folder: Path, drift: float, origin: float) -> Seen:
    """By participant; the clocks of marks are those of this machine."""
    session = msgspec.json.decode((folder / "session.json").read_bytes(), type=Session)
    with ProcessPoolExecutor(1) as pool:
        watched = list(
            pool.map(watch_behind_all_else, [folder / file.file for file in session.files])
        )
    found: Seen = {}
    for file, what in zip(session.files, watched, strict=True):
        name = session.participants[file.participant].name
        ppm = {"fast": drift, "slow": -drift}.get(name, 0.0)
        what.clocks = [origin + (c - origin) / (1 + ppm * 1e-6) for c in what.clocks]
        found[name if name not in found else file.file] = what, file
    return found


def tables(seen: Seen) -> tuple[Table, Table]:
    """All in ms."""
    files = Table(title="each file, ms", title_justify="left")
    for column in (
        *("", "seconds", "beeps", "beep − flash", "most", "a minute", "clock a minute"),
        *("lost", "damaged", "sounds in order"),
    ):
        files.add_column(column, justify="right")
    for name, (what, file) in seen.items():
        at, offsets = what.offsets()
        if not offsets:
            files.add_row(name, f"{file.seconds:.0f}", "0")
            continue
        lost = sum(gap.reason == "lost" for track in file.tracks for gap in track.gaps)
        files.add_row(
            *(name, f"{file.seconds:.0f}", str(len(offsets))),
            *(f"{1000 * statistics.median(offsets):.1f}", f"{1000 * max(offsets, key=abs):.1f}"),
            *(f"{slope(at, offsets):.2f}", f"{slope(what.times, lags(what, file)):.2f}"),
            *(str(lost), str(what.damaged), "yes" if what.is_in_order else "no"),
        )
    pairs = Table(title="what was sent at the same moment, ms apart", title_justify="left")
    for column in ("", "median", "most", "a minute"):
        pairs.add_column(column, justify="right")
    for a, b in itertools.combinations((n for n, (what, _) in seen.items() if what.times), 2):
        distances = apart(seen[a], seen[b])
        if not len(distances):
            continue
        times = list(numpy.linspace(0, len(distances) / 30, len(distances)))
        pairs.add_row(
            f"{a}, {b}",
            f"{1000 * float(numpy.median(distances)):.1f}",
            f"{1000 * max(map(float, distances), key=abs):.1f}",
            f"{slope(times, distances):.2f}",
        )
    return files, pairs


async def _rest(folder: Path, seconds: float, kills: int, seed: int) -> Table:
    table = Table(title="the rest", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    ours, theirs = await recorders.measure_cost(folder, seconds)
    table.add_row("CPU, roomcall record", f"{ours:.3f}")
    table.add_row("CPU, MediaRecorder", f"{theirs:.3f}")
    exact = await recorders.compare_packets(folder, seconds)
    table.add_row("pictures not as sent", f"{exact.wrong_pictures} of {exact.pictures}")
    table.add_row("sounds not as sent", f"{exact.wrong_sounds} of {exact.sounds}")
    killed = await kill(folder, kills, seed)
    table.add_row("files of killed recorders", str(len(killed)))
    table.add_row("most seconds missing in one", f"{max(k.missing for k in killed):.2f}")
    table.add_row("and not shown by Chromium", f"{max(k.shown for k in killed):.2f}")
    table.add_row("that ffprobe complains of", str(sum(bool(k.said) for k in killed)))
    for one in killed:
        if one.said or one.missing > 2 or one.shown > 0.5:
            Console().print(str(one))
    return table


@click.command(help=__doc__)
@click.option("--minutes", default=10.0, show_default=True, help="0: leave that part out.")
@click.option("--network", default="loss=3%,seed=9", show_default=True, help="Of the recorder.")
@click.option("--drift", default=100.0, show_default=True, help="Of two clocks, in ppm.")
@click.option("--seconds", default=20.0, show_default=True, help="Of the parts of the third table.")
@click.option("--kills", default=10, show_default=True, help="0: leave the third table out.")
@click.option("--seed", default=1, show_default=True, help="Of the moments of the kills.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for the files.")
def main(
    minutes: float,
    network: str,
    drift: float,
    seconds: float,
    kills: int,
    seed: int,
    keep: Path | None,
) -> None:
    console = Console()
    with tempfile.TemporaryDirectory() as made:
        folder = keep or Path(made)
        if minutes:
            origin = time.monotonic()
            call = recorders.record_marks(folder / "marks", minutes, network, drift, origin)
            cpu = asyncio.run(call)
            load = os.getloadavg()
            console.print(f"CPU a participant {cpu:.3f}; load {load[1]:.1f}, {load[2]:.1f}")
            for table in tables(read(folder / "marks", drift, origin)):
                console.print(table)
        if kills:
            console.print(asyncio.run(_rest(folder, seconds, kills, seed)))


if __name__ == "__main__":
    main()
