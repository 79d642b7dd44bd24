"""How exactly does `roomcall check` measure? `python -m benchmarks.accuracy`, or with less:
`python -m benchmarks.accuracy --times 1 --only loss`.

Latency, an offset of picture and sound, and loss are made on purpose, and each run stands between
two clean ones. It takes 40 minutes.

The table has what was made; what was measured, beside the mean of the clean run before and the one
after, as the median of so many times; and how far that is off, with the limit.
"""

import asyncio
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from .faults import Fault, Setting, member, own
from .verdicts import check


@dataclass(frozen=True, slots=True)
class Quantity:
    """`made` gives the setting that has a value of it, the seed being different each time. `unit`
    and `most`, how far it may be off, are in the values' own measure; a run takes `seconds`."""

    metric: str
    values: tuple[float, ...]
    made: Callable[[float, int], Setting]
    unit: str
    scale: float  # of the verdict's measure to this one
    most: float
    seconds: float


def _network(text: str) -> Callable[[float, int], Setting]:
    def made(value: float, seed: int) -> Setting:
        return own("--network", f"{text.format(value)},seed={seed}")

    return made


QUANTITIES = {
    "latency": Quantity(
        "latency", (50, 150, 300), _network("recv.delay={:g}ms"), "ms", 1000, 10, 5
    ),
    "sync": Quantity(
        "avOffset",
        (0, 100, -100, 300, -300),
        lambda late, _: member(late=late / 1000),
        "ms",
        1000,
        10,
        8,
    ),
    # Sound alone is not repaired, and is 50 packets a second: less time would be chance.
    "loss": Quantity("loss", (1, 5, 10), _network("recv.loss={:g}%"), "%", 100, 1, 30),
}


async def measure(quantity: Quantity, value: float, seed: int) -> float | None:
    """The mean of all pairs; None where it was not measured, such as on a machine that is too
    slow."""
    fault = Fault(quantity.metric, quantity.made(value, seed), "", 0)
    code, verdict = await check(fault, "--duration", str(quantity.seconds))
    found: list[float | None] = [pair[quantity.metric] for pair in verdict.get("pairs", ())]
    known = [value for value in found if value is not None]
    if code != 0 or not known or len(known) < len(found):
        return None
    return quantity.scale * statistics.mean(known)


async def differences(
    quantity: Quantity, times: int, tick: Callable[[], None]
) -> dict[float, list[float]]:
    """By what was made, what was measured beside the clean run before and the one after."""
    found: dict[float, list[float]] = {value: [] for value in quantity.values}
    for seed in range(times):
        before = await measure(quantity, 0, seed)
        for value in quantity.values:
            measured = await measure(quantity, value, seed)
            after = await measure(quantity, 0, seed)
            if before is not None and measured is not None and after is not None:
                found[value].append(measured - (before + after) / 2)
            before = after
            tick()
    return found


async def _run(names: list[str], times: int) -> tuple[Table, bool]:
    table = Table("", title=f"the median of {times}", title_justify="left")
    for column in ("made", "measured", "off by", "at most", "times"):
        table.add_column(column, justify="right")
    kept = True
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for name in names:
            quantity = QUANTITIES[name]
            task = progress.add_task(name, total=times * len(quantity.values))
            found = await differences(quantity, times, partial(progress.advance, task))
            for value, measured in found.items():
                limit = f"{quantity.most:g} {quantity.unit}"
                if not measured:
                    kept = False
                    table.add_row(name, f"{value:g} {quantity.unit}", "", "", limit, "0")
                    continue
                median = statistics.median(measured)
                off = abs(median - value)
                kept = kept and off <= quantity.most
                figures = [f"{x:.1f} {quantity.unit}" for x in (median, off)]
                count = str(len(measured))
                table.add_row(name, f"{value:g} {quantity.unit}", *figures, limit, count)
    return table, kept


@click.command(help=__doc__)
@click.option("--times", default=5, show_default=True, help="How often each is measured.")
@click.option("--only", type=click.Choice(list(QUANTITIES)), multiple=True, help="Repeatable.")
def main(times: int, only: tuple[str, ...]) -> None:
    table, kept = asyncio.run(_run(list(only or QUANTITIES), times))
    Console().print(table)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
