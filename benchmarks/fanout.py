"""What does one more receiver cost the publisher? `make bench`, or with less:
`make bench ARGS="--rounds 1 --receivers 1,8 --size 640x360"`.

One publisher to 1, 2, 4 and 8 receivers in another process, roomcall beside plain aiortc (an
encoder a peer), one after the other in every round. Both begin at 1 Mbit/s; aiortc goes up and down
from there as its receivers' estimates say.

The table has, as medians of the rounds: the publisher's CPU seconds a second of media, that beside
one receiver's, and the pictures and kbit a second that came to the receiver that got least.
"""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import click
import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import roomcall
import roomcall_server
from roomcall.signaling.base import MemberGone, MemberHere, Signal
from roomcall.signaling.room import JoinOptions, RoomClient

from .publisher import FPS, NAME, PUBLISHERS

Case = tuple[str, int, str]  # size, receivers, publisher
WARM_UP = 2.0  # seconds from the last first frame on
FIRST_FRAME = 30.0


class OnlyPublisher:
    """A signaling by which receivers of one room do not see each other."""

    def __init__(self, server: str, room: str) -> None:
        self._client = RoomClient(server, room, JoinOptions())
        self._publisher = ""

    async def connect(self) -> str:
        return await self._client.connect()

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        await self._client.send(to, message)

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for event in self._client:
            match event:
                case MemberHere(id, name) if name == NAME:
                    self._publisher = id
                    yield event
                case MemberGone(id) | Signal(id) if id == self._publisher:
                    yield event

    async def close(self) -> None:
        await self._client.close()


@asynccontextmanager
async def publisher(which: str, server: str, room: str, size: str) -> AsyncIterator[psutil.Process]:
    """A process that publishes, from when it can be joined."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.publisher", which, server, room, *size.split("x")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # aiortc warns of what it cannot keep up with
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n", "the publisher has not started"
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        await process.wait()


async def measure(case: Case, seconds: float) -> tuple[float, float, float]:
    """CPU seconds a second, and the least of what receivers got: pictures, kbit a second."""
    size, count, which = case
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(roomcall_server.serve())
        process = await stack.enter_async_context(publisher(which, server.url, "bench", size))
        receivers = [
            await stack.enter_async_context(
                roomcall.join("bench", signaling=OnlyPublisher(server.url, "bench"))
            )
            for _ in range(count)
        ]
        for call in receivers:
            await call.wait_for(roomcall.FirstFrame, FIRST_FRAME, kind="video")
        await asyncio.sleep(WARM_UP)
        loop = asyncio.get_running_loop()
        before, cpu, since = await _received(receivers), _cpu(process), loop.time()
        await asyncio.sleep(seconds)
        after, cpu, elapsed = await _received(receivers), _cpu(process) - cpu, loop.time() - since
        grown = [(f - f0, b - b0) for (f, b), (f0, b0) in zip(after, before, strict=True)]
        frames, size = (min(column) for column in zip(*grown, strict=True))
        return cpu / elapsed, frames / elapsed, size * 8 / 1000 / elapsed


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _received(receivers: list[roomcall.Call]) -> list[tuple[int, int]]:
    """Frames and bytes so far, of each receiver."""
    reports = [
        peer["video"]["inbound"] for call in receivers for peer in (await call.stats()).values()
    ]
    return [(report["framesReceived"], report["bytesReceived"]) for report in reports]


def report(results: Mapping[Case, list[tuple[float, float, float]]]) -> Table:
    table = Table(title=f"one publisher, {FPS} pictures a second", title_justify="left")
    table.add_column("size")
    table.add_column("receivers", justify="right")
    for which in PUBLISHERS:
        table.add_column(f"{which} CPU", justify="right")
        table.add_column("× of 1", justify="right")
        table.add_column("fps", justify="right")
        table.add_column("kbit/s", justify="right")
    table.add_column("CPU ratio", justify="right")
    medians = {
        case: tuple(statistics.median(column) for column in zip(*rounds, strict=True))
        for case, rounds in results.items()
    }
    for size, count in dict.fromkeys((size, count) for size, count, _ in medians):
        cells = [size, str(count)]
        for which in PUBLISHERS:
            cpu, fps, rate = medians[size, count, which]
            one = medians.get((size, 1, which))
            cells += [f"{cpu:.2f}", f"{cpu / one[0]:.2f}" if one else ""]
            cells += [f"{fps:.1f}", f"{rate:.0f}"]
        ours, theirs = (medians[size, count, which][0] for which in PUBLISHERS)
        table.add_row(*cells, f"{ours / theirs:.2f}")
    return table


async def _run(cases: list[Case], rounds: int, seconds: float) -> dict[Case, Any]:
    results: dict[Case, list[tuple[float, float, float]]] = {case: [] for case in cases}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=rounds * len(cases))
        for _ in range(rounds):
            for case in cases:
                progress.update(task, description="{2} to {1} at {0}".format(*case))
                results[case].append(await measure(case, seconds))
                progress.advance(task)
    return results


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="The median of so many is shown.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each is measured.")
@click.option("--receivers", default="1,2,4,8", show_default=True)
@click.option("--size", "sizes", default="640x360,1280x720", show_default=True)
def main(rounds: int, seconds: float, receivers: str, sizes: str) -> None:
    cases = [
        (size, int(count), which)
        for size in sizes.split(",")
        for count in receivers.split(",")
        for which in PUBLISHERS
    ]
    results = asyncio.run(_run(cases, rounds, seconds))
    Console(width=110).print(report(results))


if __name__ == "__main__":
    main()
