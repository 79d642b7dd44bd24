"""What does it cost to pass a file through? `make bench BENCH=passing`, or with less:
`make bench BENCH=passing ARGS="--rounds 1"`.

One mp4 (H.264 without B-frames, a key frame every two seconds, no sound) to 8 receivers in another
process: once as it is, once encoded anew. It takes 2 minutes.

The table has, as medians of the rounds: the publisher's CPU seconds a second of media, that beside
encoding, and the pictures and kbit a second that came to the receiver that got least.
"""

import asyncio
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from roomcall.testing.media import make_video

from .receiving import Figures, measure, median

WAYS = ("encoding", "passing")
FPS = 30


async def _run(path: Path, receivers: int, rounds: int, seconds: float) -> dict[str, Figures]:
    results: dict[str, list[Figures]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            results[way].append(await measure(way, receivers, seconds, "h264", str(path)))
    return {way: median(figures) for way, figures in results.items()}


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="The median of so many is shown.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each is measured.")
@click.option("--receivers", default=8, show_default=True)
@click.option("--size", default="1280x720", show_default=True)
def main(rounds: int, seconds: float, receivers: int, size: str) -> None:
    width, height = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        path = make_video(
            Path(folder) / "film.mp4",
            seconds=10,
            fps=FPS,
            size=(width, height),
            bframes=0,
            gop=2 * FPS,
            bitrate=1_500_000,
            audio=None,
        )
        medians = asyncio.run(_run(path, receivers, rounds, seconds))
    table = Table(title=f"an mp4 of {size} to {receivers} receivers", title_justify="left")
    for column in ("", "CPU", "× encoding", "fps", "kbit/s"):
        table.add_column(column, justify="right")
    for way, (cpu, fps, kbit) in medians.items():
        beside = f"{cpu / medians['encoding'].cpu:.2f}"
        table.add_row(way, f"{cpu:.3f}", beside, f"{fps:.1f}", f"{kbit:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
