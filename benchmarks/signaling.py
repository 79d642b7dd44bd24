"""What our server costs, beside a bare relay on node's `ws` (`relay.js`).

`make bench BENCH=signaling`, or with less: `ARGS="--rounds 1 --only signal"`.

Both get the same load, in turns. Ours has all that it comes with: rights, limits, resume, rules.
The relay checks and keeps nothing. CPU is that of the server's process alone.
"""

import asyncio
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import aiohttp
import click
import psutil
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from roomcall.loading.running import Load, Plan
from roomcall_cli.collector import keep_quiet
from roomcall_cli.loading import raise_file_limit

Results = dict[tuple[str, str], list[float]]  # by measure and server

COMMAND = Path(sys.executable).with_name("roomcall")
RELAY = Path(__file__).with_name("relay.js")
WS = "ws@8.23.0"
ALL_ON = (
    "--max-clients", "20000", "--max-rooms", "20000", "--max-per-address", "20000",
    "--rate-messages", "10000", "--rate-bytes", "100000000", "--rate-joins", "100000",
    "--direct-mode",
)  # fmt: skip
QUIET = 5.0  # seconds for which the idle are watched


@dataclass(frozen=True, slots=True)
class Process:
    url: str
    process: psutil.Process

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        return int(self.process.memory_info().rss)


@dataclass(frozen=True, slots=True)
class Measure:
    """`most`: how much of the relay's figure ours may be."""

    name: str
    unit: str
    run: Callable[[Process], Awaitable[float]]
    most: float | None = None


@asynccontextmanager
async def ours() -> AsyncIterator[Process]:
    command = [str(COMMAND), "-q", "serve", "--port", "0", *ALL_ON]
    async with _started(command, None) as (line, process):
        yield Process(line.split()[-1], process)


@asynccontextmanager
async def relay(folder: Path) -> AsyncIterator[Process]:
    async with _started(["node", str(RELAY)], folder) as (line, process):
        yield Process(f"http://127.0.0.1:{line}", process)


@asynccontextmanager
async def _started(
    command: list[str], folder: Path | None
) -> AsyncIterator[tuple[str, psutil.Process]]:
    environment = None if folder is None else {"NODE_PATH": str(folder / "node_modules")}
    process = await asyncio.create_subprocess_exec(
        shutil.which(command[0]) or command[0],
        *command[1:],
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode().strip()
        yield line, psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


def plan(
    server: Process,
    clients: int,
    rooms: int,
    ramp: float,
    *,
    rate: float = 0.0,
    duration: float = 0.0,
    chat_every: int = 0,
) -> Plan:
    return Plan(
        server=server.url,
        clients=clients,
        rooms=rooms,
        rate=rate,
        ramp=ramp,
        duration=duration,
        chat_every=chat_every,
    )


@asynccontextmanager
async def loaded(plan: Plan) -> AsyncIterator[Load]:
    load = Load(plan, lambda *_: None)
    async with load.present():
        await load.enter()
        yield load
        if load.failed or load.ledger.lost(set()):
            raise SystemExit(f"the load failed: {load.result.failures[:3]}")


async def talk(server: Process, plan: Plan) -> float:
    """CPU for each message that arrived."""
    async with loaded(plan) as load:
        began = server.cpu()
        await load.talk()
        return (server.cpu() - began) / load.ledger.received * 1e6


async def signal(server: Process) -> float:
    return await talk(server, plan(server, 80, 20, 0.5, rate=2500, duration=4))


async def chat_of_4(server: Process) -> float:
    return await talk(server, plan(server, 80, 20, 0.5, rate=1000, duration=4, chat_every=1))


async def chat_of_50(server: Process) -> float:
    return await talk(server, plan(server, 100, 2, 0.5, rate=100, duration=4, chat_every=1))


async def join(server: Process) -> float:
    began = server.cpu()
    async with loaded(plan(server, 800, 200, 2.0)) as load:
        return (server.cpu() - began) / load.result.joined * 1e6


async def storm(server: Process) -> float:
    began = server.cpu()
    async with loaded(plan(server, 500, 1, 0.0)):
        return (server.cpu() - began) * 1e3


async def idle_memory(server: Process, clients: int) -> float:
    before = server.memory()
    async with loaded(plan(server, clients, clients // 4, clients / 500)):
        return (server.memory() - before) / clients / 1024


async def idle_cpu(server: Process, clients: int) -> float:
    async with loaded(plan(server, clients, clients // 4, clients / 500)):
        began = server.cpu()
        await asyncio.sleep(QUIET)
        return (server.cpu() - began) / QUIET * 100


async def pause(server: Process) -> float:
    """The class of the longest one, while many talk. The relay does not tell."""
    async with loaded(plan(server, 400, 100, 1.0, rate=2000, duration=4, chat_every=4)) as load:
        await load.talk()
        async with aiohttp.ClientSession() as session:
            async with session.get(server.url + "/metrics") as response:
                page = await response.text() if response.status == 200 else ""
    counts = re.findall(r'roomcall_loop_lag_seconds_bucket\{le="(.*)"\} (.*)', page)
    whole = max((float(count) for _, count in counts), default=0.0)
    return next((float(bound) * 1e3 for bound, count in counts if float(count) == whole), math.nan)


MEASURES = (
    Measure("signal", "µs", signal, 0.8),
    Measure("chat, 4 in a room", "µs", chat_of_4, 0.8),
    Measure("chat, 50 in a room", "µs", chat_of_50, 0.8),
    Measure("join", "µs", join),
    Measure("500 join one room", "ms", storm, 1.0),
    Measure("2,000 idle, each", "KiB", partial(idle_memory, clients=2_000)),
    Measure("2,000 idle, CPU", "%", partial(idle_cpu, clients=2_000)),
    Measure("10,000 idle, each", "KiB", partial(idle_memory, clients=10_000)),
    Measure("10,000 idle, CPU", "%", partial(idle_cpu, clients=10_000)),
    Measure("longest pause", "ms", pause),
)


async def _run(measures: Sequence[Measure], rounds: int, folder: Path) -> Results:
    results: Results = {}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=rounds * len(measures) * 2)
        for _ in range(rounds):
            for measure in measures:
                for name, start in (("roomcall", ours()), ("ws", relay(folder))):
                    progress.update(task, description=f"{name}: {measure.name}")
                    async with start as server:
                        figure = await measure.run(server)
                    results.setdefault((measure.name, name), []).append(figure)
                    progress.advance(task)
    return results


def report(measures: Sequence[Measure], results: Results) -> Table:
    table = Table(title="the server's CPU and memory, medians", title_justify="left")
    table.add_column("")
    for column in ("roomcall", "ws", "×", "at most"):
        table.add_column(column, justify="right")
    for measure in measures:
        own, other = (median(results[measure.name, name]) for name in ("roomcall", "ws"))
        most = "" if measure.most is None else f"× {measure.most}"
        shown = (f"{figure:.3g} {measure.unit}" for figure in (own, other))
        table.add_row(measure.name, *shown, f"{own / other:.2f}" if other else "", most)
    return table


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=5)
@click.option("--only", type=click.Choice([m.name for m in MEASURES]), multiple=True)
def main(rounds: int, only: tuple[str, ...]) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise click.UsageError("node and npm are needed, for the relay to compare with")
    raise_file_limit(10_000)
    measures = [measure for measure in MEASURES if not only or measure.name in only]
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, WS]
        subprocess.run(command, check=True)
        keep_quiet()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(_run(measures, rounds, Path(folder)))
    Console(width=110).print(report(measures, results))
    sys.exit(0 if all(_kept(measure, results) for measure in measures) else 1)


def _kept(measure: Measure, results: Results) -> bool:
    own, other = (median(results[measure.name, name]) for name in ("roomcall", "ws"))
    return measure.most is None or own <= measure.most * other


if __name__ == "__main__":
    main()
