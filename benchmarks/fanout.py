"""What does one more receiver cost the publisher? `make bench`, or with less:
`make bench ARGS="--rounds 1 --receivers 1,8 --size 640x360 --codec h264"`.

One publisher to 1 and 8 receivers in another process, roomcall beside plain aiortc (an encoder a
peer), one after the other in every round; and the bare encoder, which sends nothing. All begin at
1 Mbit/s; aiortc goes up and down from there as its receivers' estimates say. It takes 20 minutes.

The table has, as medians of the rounds: the publisher's CPU seconds a second of media, that beside
one receiver's, and beside the bare encoder's, where making the pictures is taken off both; and the
pictures and kbit a second that came to the receiver that got least.
"""

import asyncio
from collections.abc import Mapping

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from .publisher import FPS
from .receiving import Figures, measure, median

Case = tuple[str, str, int, str]  # size, codec, receivers, publisher
BESIDE = ("roomcall", "aiortc")
ALONE = ("encoder", "pictures")


def report(medians: Mapping[Case, Figures]) -> Table:
    table = Table(title=f"one publisher, {FPS} pictures a second", title_justify="left")
    for column in ("size", "codec", "publisher"):
        table.add_column(column)
    for column in ("receivers", "CPU", "× of 1", "× bare", "fps", "kbit/s"):
        table.add_column(column, justify="right")
    for (size, codec, count, which), (cpu, fps, rate) in medians.items():
        bare, pictures = (medians[size, codec, 0, alone].cpu for alone in ALONE)
        beside_bare = f"{(cpu - pictures) / (bare - pictures):.2f}"
        if not count:
            table.add_row(size, codec, which, "", f"{cpu:.3f}", "", beside_bare)
            continue
        one = medians.get((size, codec, 1, which))
        beside_one = f"{cpu / one.cpu:.2f}" if one else ""
        came = (f"{fps:.1f}", f"{rate:.0f}")
        table.add_row(size, codec, which, str(count), f"{cpu:.3f}", beside_one, beside_bare, *came)
    return table


async def _run(cases: list[Case], rounds: int, seconds: float) -> dict[Case, Figures]:
    results: dict[Case, list[Figures]] = {case: [] for case in cases}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=rounds * len(cases))
        for _ in range(rounds):
            for size, codec, count, which in cases:
                progress.update(task, description=f"{which} to {count} at {size}, {codec}")
                figures = await measure(which, count, seconds, codec, size)
                results[size, codec, count, which].append(figures)
                progress.advance(task)
    return {case: median(figures) for case, figures in results.items()}


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="The median of so many is shown.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each is measured.")
@click.option("--receivers", default="1,8", show_default=True)
@click.option("--size", "sizes", default="640x360,1280x720", show_default=True)
@click.option("--codec", "codecs", default="h264,vp8", show_default=True)
def main(rounds: int, seconds: float, receivers: str, sizes: str, codecs: str) -> None:
    cases: list[Case] = []
    for size in sizes.split(","):
        for codec in codecs.split(","):
            cases += [(size, codec, 0, which) for which in ALONE]
            cases += [
                (size, codec, int(count), which)
                for count in receivers.split(",")
                for which in BESIDE
            ]
    Console(width=100).print(report(asyncio.run(_run(cases, rounds, seconds))))


if __name__ == "__main__":
    main()
