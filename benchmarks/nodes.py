"""What several servers on one Redis cost, and whether anything is lost over them.

`make bench BENCH=nodes`, with Debian's redis-server; or with less: `ARGS="--rounds 1 --checked
10000"`, or with more: `ARGS="--checked 1000000"`.

First the CPU of a signal: within one server with `--store memory` and with `--store redis`, by
turns, and across two servers, both together; and how long one takes across at 2,000 a second. The
CPU is that of the servers alone, without Redis, of which it is said beside.

Then clients in rooms of four talk over two servers behind one address, of which one is killed
(SIGKILL) every 10 s and started again, until so many messages have come: each once, in order,
unless its sender or receiver was told of a gap.
"""

import asyncio
import itertools
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from uuid import uuid4

import aiohttp
import click
import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from roomcall.loading.running import Load, Plan
from roomcall.signaling.url import websocket_url
from roomcall_cli.collector import keep_quiet

from .breaks import server_process
from .killing import Gate, Server, heard_all, talk, talking
from .signaling import ALL_ON, Process

RATE, SECONDS, CLIENTS = 2000, 4, 80
BETWEEN_KILLS, AWAY = 10.0, 1.0  # seconds
TALKERS, TALK_RATE, CHAT_EVERY = 40, 1000, 20
MOST_WITHIN, MOST_ACROSS, MOST_MS = 1.1, 3.0, 2.0


@dataclass(slots=True)
class Figures:
    """µs of CPU a signal; ms at the median."""

    memory: list[float] = field(default_factory=list)
    redis: list[float] = field(default_factory=list)
    across: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)
    near: list[float] = field(default_factory=list)
    far: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checked:
    received: int
    disordered: int
    told: int
    silent: int
    gaps: int
    resumed: int
    renewed: int
    kills: int


@asynccontextmanager
async def redis_server() -> AsyncIterator[tuple[str, psutil.Process]]:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        tcp.close()
        process = await asyncio.create_subprocess_exec(
            *("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder),
            *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(10):
                while not await _listens(port):  # noqa: ASYNC110 - it does not say when
                    await asyncio.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0", psutil.Process(process.pid)
        finally:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class AcrossLoad(Load):
    """Of the two in each room the first is at one server, the second at the other. They talk one
    after the other, where `Load` sends what is due in a hundredth of a second at once."""

    def __init__(self, plan: Plan, urls: list[str]) -> None:
        super().__init__(plan, lambda *_: None)
        self._urls = [urls[number // plan.rooms % len(urls)] for number in range(plan.clients)]
        self._next = itertools.count()

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        assert self._session is not None
        url = websocket_url(self._urls[next(self._next)])
        return await self._session.ws_connect(url, max_msg_size=0, compress=0)

    async def talk(self) -> None:
        began = time.perf_counter()
        self.result.planned = int(self.plan.rate * self.plan.duration)
        for turn in range(self.result.planned):
            early = turn / self.plan.rate - (time.perf_counter() - began)
            if early > 0:
                await asyncio.sleep(early)
            await self._say(turn)
        await self._wait_for_the_rest()


async def signals(servers: list[Process]) -> tuple[float, float]:
    """µs of CPU of all servers for each that arrived, and the median of how long it took, in ms."""
    plan = Plan(
        server=servers[0].url,
        clients=CLIENTS,
        rooms=CLIENTS // 2,
        rate=RATE,
        ramp=0.5,
        duration=SECONDS,
        chat_every=0,
    )
    load = AcrossLoad(plan, [server.url for server in servers])
    async with load.present():
        await load.enter()
        before = sum(server.cpu() for server in servers)
        await load.talk()
        cpu = sum(server.cpu() for server in servers) - before
        if load.failed or load.ledger.lost(set()) or load.ledger.doubled or load.ledger.disordered:
            raise SystemExit(f"the load failed: {load.result.failures[:3]}")
        latency = load.result.times["signal"].figure("p50") or 0.0
        return cpu / load.ledger.received * 1e6, latency * 1e3


async def measure(rounds: int) -> Figures:
    figures = Figures()
    async with redis_server() as (url, engine):
        for _ in range(rounds):
            for store, found in (("memory", figures.memory), (_own(url), figures.redis)):
                async with server_process(0, "--store", store, *ALL_ON) as (process, at):
                    cpu, latency = await signals([_process(process, at)])
                    found.append(cpu)
                    if store != "memory":
                        figures.near.append(latency)
            async with AsyncExitStack() as stack:
                store = _own(url)
                servers = [
                    _process(
                        *await stack.enter_async_context(
                            server_process(0, "--store", store, *ALL_ON)
                        )
                    )
                    for _ in range(2)
                ]
                before = sum(engine.cpu_times()[:2])
                cpu, latency = await signals(servers)
                spent = sum(engine.cpu_times()[:2]) - before
                figures.across.append(cpu)
                figures.far.append(latency)
                figures.engine.append(spent / (RATE * SECONDS) * 1e6)
    return figures


def _own(url: str) -> str:
    """A store that is empty."""
    return f"{url}?prefix={uuid4()}:"


def _process(process: asyncio.subprocess.Process, url: str) -> Process:
    return Process(url, psutil.Process(process.pid))


async def check(count: int) -> Checked:
    """So many messages over two servers of which one is killed now and then."""
    gate, kills = Gate(), 0
    async with redis_server() as (url, _), AsyncExitStack() as stack:
        servers = [Server(url) for _ in range(2)]
        for server in servers:
            stack.push_async_callback(server.kill)
            await server.start()
        gate.ports = [server.port for server in servers]
        await gate.open()
        stack.push_async_callback(gate.close)
        async with talking(gate, TALKERS) as (ledger, talkers):

            def done() -> bool:
                return ledger.received >= count

            speaking = asyncio.create_task(talk(talkers, TALK_RATE, CHAT_EVERY, done))
            told_at = time.monotonic()
            for server in itertools.cycle(servers):
                await asyncio.wait([speaking], timeout=BETWEEN_KILLS - AWAY)
                if speaking.done():
                    break
                await server.kill()
                kills += 1
                await asyncio.sleep(AWAY)
                await server.start()
                if time.monotonic() - told_at > 60:
                    told_at = time.monotonic()
                    click.echo(f"{ledger.received} messages, {kills} kills", err=True)
            await speaking
            try:
                await heard_all(ledger)
            except TimeoutError:
                pass  # what is missing is counted below
            told, silent = ledger.lost()
            return Checked(
                received=ledger.received,
                disordered=ledger.disordered,
                told=told,
                silent=silent,
                gaps=ledger.gaps,
                resumed=sum(talker.resumed for talker in talkers),
                renewed=sum(talker.renewed for talker in talkers),
                kills=kills,
            )


def report(figures: Figures) -> tuple[Table, bool]:
    table = Table("", title="a signal, medians", title_justify="left")
    for column in ("", "×", "at most"):
        table.add_column(column, justify="right")
    memory, redis, across = map(median, (figures.memory, figures.redis, figures.across))
    # Each with that of its own round: what else the machine does changes from round to round.
    within = median(r / m for r, m in zip(figures.redis, figures.memory, strict=True))
    far = median(a / r for a, r in zip(figures.across, figures.redis, strict=True))
    near, latency, engine = map(median, (figures.near, figures.far, figures.engine))
    table.add_row("within, memory", f"{memory:.1f} µs", "", "")
    table.add_row("within, redis", f"{redis:.1f} µs", f"{within:.2f}", f"{MOST_WITHIN}")
    table.add_row("across, both", f"{across:.1f} µs", f"{far:.2f}", f"{MOST_ACROSS}")
    table.add_row("across, Redis itself", f"{engine:.1f} µs", "", "")
    table.add_row(f"within, redis, {RATE:,} a second", f"{near:.2f} ms", "", "")
    table.add_row(f"across, {RATE:,} a second", f"{latency:.2f} ms", "", f"{MOST_MS} ms")
    return table, within <= MOST_WITHIN and far <= MOST_ACROSS and latency <= MOST_MS


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=0), default=5, show_default=True)
@click.option("--checked", type=click.IntRange(min=0), default=100_000, show_default=True)
def main(rounds: int, checked: int) -> None:
    if shutil.which("redis-server") is None:
        raise click.UsageError("redis-server is needed, of Debian's package of that name")
    keep_quiet()
    kept = True
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if rounds:
            table, kept = report(runner.run(measure(rounds)))
            Console(width=110).print(table)
        if checked:
            result = runner.run(check(checked))
            click.echo(
                f"{result.received} messages, {result.kills} kills: "
                f"{result.disordered} doubled or out of order, {result.silent} lost silently, "
                f"{result.told} lost of which somebody was told; {result.resumed} resumed, "
                f"{result.gaps} of them with a gap, {result.renewed} had to join anew"
            )
            kept = kept and not result.disordered and not result.silent
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
