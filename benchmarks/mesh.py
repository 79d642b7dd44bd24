"""What does a full mesh cost each of its members? `make bench BENCH=mesh`, or with less:
`make bench BENCH=mesh ARGS="--rounds 1 --seconds 4"`.

Rooms of 2, 3 and 4 members, each a process, of 320×180 at 15 pictures a second and Opus; everybody
sends, or only some of them, so that what sending costs can be told from what receiving does; once
without decoding, once with it, once with plain aiortc (where all send). Last, a room of 8 that
decode nothing. It takes 25 minutes.

The first table has, as medians of the rounds: the CPU seconds a second of a member that sends, and
the pictures a second that came of the other who came worst. The second fits CPU = a + b · streams
sent + c · streams received to it (a stream is a picture and a sound), and says in how large a room
one core is full.
"""

import asyncio
import json
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import click
import numpy
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import roomcall_server

from .receiving import median

WAYS = {"roomcall": "roomcall, not decoding", "decoding": "roomcall, decoding", "aiortc": "aiortc"}
WARM_UP = 3.0  # seconds from when all is there
PATIENCE = 60.0


class Case(NamedTuple):
    """So many of the `members` send."""

    way: str
    members: int
    senders: int


class Figures(NamedTuple):
    """CPU seconds a second of one that sends, the least pictures a second."""

    cpu: float
    fps: float


CASES = [
    Case(way, members, senders)
    for way in WAYS
    for members in (2, 3, 4)
    for senders in range(members if way == "aiortc" else 1, members + 1)
]
LARGE = Case("roomcall", 8, 8)


class Said(NamedTuple):
    cpu: float
    came: dict[str, int]


class Member:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    async def is_ready(self) -> None:
        assert await self._stdout.readline() == b"ready\n", "the member has not started"

    async def say(self) -> Said:
        self._stdin.write(b"\n")
        said = json.loads(await self._stdout.readline())
        return Said(said["cpu"], said["came"])


@asynccontextmanager
async def member(case: Case, server: str, sends: bool) -> AsyncIterator[Member]:
    tracks = 2 * (case.senders - sends)  # of everybody else who sends
    arguments = (case.way, server, "sends" if sends else "receives", str(tracks))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.member", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Member(process)
    finally:
        process.kill()
        await process.communicate()


async def measure(case: Case, seconds: float) -> Figures:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(roomcall_server.serve())
        members = [
            await stack.enter_async_context(member(case, server.url, n < case.senders))
            for n in range(case.members)
        ]
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(one.is_ready() for one in members))
        await asyncio.sleep(WARM_UP)
        loop = asyncio.get_running_loop()
        before, since = await _said(members), loop.time()
        await asyncio.sleep(seconds)
        after, elapsed = await _said(members), loop.time() - since
        cpu = [b.cpu - a.cpu for a, b in zip(before, after, strict=True)][: case.senders]
        pictures = [
            b.came[key] - a.came.get(key, 0)
            for a, b in zip(before, after, strict=True)
            for key in b.came
            if key.endswith("video")
        ]
        return Figures(statistics.mean(cpu) / elapsed, min(pictures) / elapsed)


async def _said(members: Sequence[Member]) -> list[Said]:
    return await asyncio.gather(*(one.say() for one in members))


def fit(figures: dict[Case, Figures], way: str) -> list[float]:
    """a, b and c of CPU = a + b · sent + c · received."""
    of_way = {case: f.cpu for case, f in figures.items() if case.way == way and case != LARGE}
    rows = [[1, case.members - 1, case.senders - 1] for case in of_way]
    found, *_ = numpy.linalg.lstsq(numpy.array(rows, float), numpy.array(list(of_way.values())))
    return [float(value) for value in found]


def fits_one_core(a: float, each: float) -> int:
    """The members of the largest full mesh; `each` further one costs so much."""
    return 1 + int((1 - a) / each) if each > 0 else 0


def tables(figures: dict[Case, Figures]) -> tuple[Table, Table]:
    measured = Table("", title="a member that sends", title_justify="left")
    for column in ("members", "that send", "CPU", "fps"):
        measured.add_column(column, justify="right")
    for case, (cpu, fps) in figures.items():
        members, senders = str(case.members), str(case.senders)
        measured.add_row(WAYS[case.way], members, senders, f"{cpu:.3f}", f"{fps:.1f}")
    fitted = Table("", title="CPU = a + b · sent + c · received", title_justify="left")
    for column in ("a", "b", "c", "b + c", "fit one core"):
        fitted.add_column(column, justify="right")
    for way, name in WAYS.items():
        a, b, c = fit(figures, way)
        # Where all send, sent and received are the same number: only their sum is known.
        each = (f"{b:.4f}", f"{c:.4f}") if way != "aiortc" else ("", "")
        fitted.add_row(name, f"{a:.3f}", *each, f"{b + c:.4f}", str(fits_one_core(a, b + c)))
    return measured, fitted


async def _run(rounds: int, seconds: float) -> dict[Case, Figures]:
    results: dict[Case, list[Figures]] = {case: [] for case in [*CASES, LARGE]}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=rounds * len(results))
        for _ in range(rounds):
            for case, measured in results.items():
                what = f"{WAYS[case.way]}: {case.senders} of {case.members} send"
                progress.update(task, description=what)
                measured.append(await measure(case, seconds))
                progress.advance(task)
    return {case: median(measured) for case, measured in results.items()}


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="The median of so many is shown.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each is measured.")
def main(rounds: int, seconds: float) -> None:
    for table in tables(asyncio.run(_run(rounds, seconds))):
        Console().print(table)


if __name__ == "__main__":
    main()
