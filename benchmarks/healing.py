"""What does it cost when something breaks? `make bench BENCH=healing`, or with less:
`make bench BENCH=healing ARGS="--rounds 4 --only cut"`.

Calls of small pictures, in one process but for the guests, over real ICE and DTLS on loopback. A
picture counts when it is decoded, in the hands of who iterates over `frames()`; a gap is the time
between two of them.

\b
restart  ICE restarted on a living path, by either end in turn: the longest gap at both ends,
         beyond the frames' distance; and the same where nothing is done
cut      nothing passes for 10 s: when both ends have told, and after it is mended the first
         picture at both ends
server   a server without a store is killed in a call of four, and back after 8 s: the longest gap
         of the 12 pictures, and when everybody knows everybody again
guests   somebody joins and leaves: what the memory of who stays, a process of its own, grows by for
         each one after the 20th, and how many more tasks, threads and descriptors it has at the end
         than after the first
"""

import asyncio
import statistics
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from . import breaks
from .breaks import Figures, Tick
from .guests import guests


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured, in a unit, and what it must not exceed."""

    what: str
    unit: str
    most: float | None


ROWS = {
    "restart": (
        Row("gap while ICE is restarted, beyond the frames' distance", "ms", 150),
        Row("the same while nothing is done", "ms", None),
    ),
    "cut": (
        Row("from the cut until both ends have told", "s", 5),
        Row("from the mending to the first picture at both ends", "s", 2),
    ),
    "server": (
        Row("longest gap while the server is away", "s", 1),
        Row("from the server's return until all know each other", "s", 5),
    ),
    "guests": (
        Row("memory of the host's process grows a join", "KiB", 20),
        Row("tasks more than before", "", 0),
        Row("threads more than before", "", 0),
        Row("descriptors more than before", "", 0),
    ),
}
ROUNDS = {"restart": 50, "cut": 50, "server": 5, "guests": 100}

MEASURES: Mapping[str, Callable[[int, Tick], Coroutine[Any, Any, list[Figures]]]] = {
    "restart": breaks.restart,
    "cut": breaks.cut,
    "server": breaks.server,
    "guests": guests,
}


async def _run(cases: Mapping[str, int]) -> dict[str, list[Figures]]:
    """For each case the rounds, for each round its figures."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        results = {}
        for case, rounds in cases.items():
            task = progress.add_task(case, total=rounds)
            results[case] = await MEASURES[case](rounds, partial(progress.advance, task))
    return results


def report(results: Mapping[str, list[Figures]]) -> Table:
    table = Table(title="what a break costs", title_justify="left")
    table.add_column("")
    for column in ("median", "worst", "at most", "kept"):
        table.add_column(column, justify="right")
    for case, rounds in results.items():
        for row, figures in zip(ROWS[case], zip(*rounds, strict=True), strict=True):
            limit = "" if row.most is None else f"{row.most:g} {row.unit}"
            kept = "" if row.most is None else _kept(figures, row.most)
            shown = (f"{f:.3g} {row.unit}" for f in (statistics.median(figures), max(figures)))
            table.add_row(row.what, *shown, limit, kept)
    return table


def _kept(figures: Figures, most: float) -> str:
    return f"{sum(figure <= most for figure in figures)} of {len(figures)}"


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), help=f"Instead of {ROUNDS}.")
@click.option("--only", type=click.Choice(list(MEASURES)), multiple=True, help="Repeatable.")
def main(rounds: int | None, only: tuple[str, ...]) -> None:
    cases = {case: rounds or ROUNDS[case] for case in only or MEASURES}
    results = asyncio.run(_run(cases))
    Console(width=110).print(report(results))
    held = all(
        row.most is None or max(figures) <= row.most
        for case, measured in results.items()
        for row, figures in zip(ROWS[case], zip(*measured, strict=True), strict=True)
    )
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
