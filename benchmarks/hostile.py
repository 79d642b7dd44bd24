"""What do bad clients cost the others? `python -m benchmarks.hostile`, or with less:
`python -m benchmarks.hostile --passwords 500 --seconds 5`.

1. Wrong passwords for one room, as fast as they are answered: how long the server's event loop
   stands still at most, beside the same while nobody guesses.
2. A member that reads nothing, in a room where one talks to eight, 200 times a second, 4000
   characters each: how long a message takes to the others, beside the same room without it; and by
   how much the server's memory grows.
"""

import asyncio
import json
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import click
import psutil
from rich.console import Console
from rich.table import Table

import roomcall_server

LISTENERS = 8
RATE = 200  # messages a second
TEXT = "x" * 4000
TICK = 0.001

Socket = aiohttp.ClientWebSocketResponse


async def stand_still(pauses: list[float]) -> None:
    """How much longer than asked for each tick of this loop takes."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(TICK)
        pauses.append(time.perf_counter() - before - TICK)


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    pauses: list[float] = []
    watcher = asyncio.create_task(stand_still(pauses))
    yield pauses
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)


async def passwords(count: int, clients: int, seconds: float, console: Console) -> None:
    table = Table("passwords", "seconds", "pause p99", "longest pause", "over 50 ms")
    async with (
        roomcall_server.serve(rate_messages=0) as server,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/ws") as host,
    ):
        await host.receive()
        await host.send_json(
            {
                "type": "create-room",
                "payload": {"name": "den", "password": "right", "emptyTtlSeconds": 3600},
            }
        )
        room = (await host.receive_json())["room"]["id"]
        async with watched() as pauses:
            await asyncio.sleep(seconds)
        table.add_row("none", f"{seconds:.0f}", *_pauses(pauses))
        begin = time.perf_counter()
        async with watched() as pauses:
            guessers = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.guessers", server.url, room),
                *(str(count), str(clients)),
            )
            assert await guessers.wait() == 0
        table.add_row(f"{count:,}", f"{time.perf_counter() - begin:.0f}", *_pauses(pauses))
    console.print(table)


def _pauses(pauses: list[float]) -> tuple[str, str, str]:
    percentile = statistics.quantiles(pauses, n=100)[98]
    over = sum(pause > 0.05 for pause in pauses)
    return f"{1000 * percentile:.1f} ms", f"{1000 * max(pauses):.1f} ms", f"{over}"


@asynccontextmanager
async def server_process() -> AsyncIterator[tuple[str, psutil.Process]]:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("roomcall"),
        *("serve", "--port", "0", "--json", "--rate-messages", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    yield json.loads(await process.stdout.readline())["url"], psutil.Process(process.pid)
    process.terminate()
    await process.wait()


async def slow_reader(seconds: float, console: Console) -> None:
    table = Table("a member that does not read", "p50", "p99", "longest", "memory", "closed after")
    for stuck in (False, True):
        async with server_process() as (url, process), AsyncExitStack() as stack:
            talker, *listeners = [await member(stack, url) for _ in range(1 + LISTENERS)]
            room = await join(talker, {"name": "den", "create": True})
            for listener in listeners:
                await join(listener, {"roomId": room})
            if stuck:
                # It has its place, and a small buffer that nobody empties.
                session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(socket_factory=_small_socket)
                )
                await stack.enter_async_context(session)
                silent = await session.ws_connect(f"{url}/ws")
                await silent.receive()
                await join(silent, {"roomId": room})
            row = await talk(talker, listeners, room, seconds, process)
            table.add_row("yes" if stuck else "none", *row)
    console.print(table)


def _small_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    return made


async def member(stack: AsyncExitStack, url: str) -> Socket:
    session = await stack.enter_async_context(aiohttp.ClientSession())
    made = await stack.enter_async_context(session.ws_connect(f"{url}/ws"))
    await made.receive()
    return made


async def join(socket: Socket, wanted: dict[str, object]) -> str:
    await socket.send_json({"type": "join-room", "payload": wanted})
    while (heard := await socket.receive_json())["type"] != "room-joined":
        pass
    return str(heard["room"]["id"])


async def talk(
    talker: Socket, listeners: list[Socket], room: str, seconds: float, process: psutil.Process
) -> list[str]:
    took: list[float] = []
    closed: list[float] = []
    begin = time.perf_counter()
    before = peak = process.memory_info().rss

    async def listen(socket: Socket) -> None:
        async for frame in socket:
            heard = json.loads(frame.data)
            if heard["type"] == "chat":
                took.append(time.perf_counter() - float(heard["payload"].split()[0]))
            elif heard["type"] == "member-left":
                closed.append(time.perf_counter() - begin)

    hearing = [asyncio.create_task(listen(socket)) for socket in (talker, *listeners)]
    for number in range(int(seconds * RATE)):
        await asyncio.sleep(begin + number / RATE - time.perf_counter())
        said = f"{time.perf_counter()} {TEXT}"[:4000]
        await talker.send_json({"type": "chat", "roomId": room, "payload": said})
        if number % 20 == 0:
            peak = max(peak, process.memory_info().rss)
    await asyncio.sleep(1.0)
    for task in hearing:
        task.cancel()
    await asyncio.gather(*hearing, return_exceptions=True)
    cuts = statistics.quantiles(took, n=100)
    return [
        f"{1000 * cuts[49]:.2f} ms",
        f"{1000 * cuts[98]:.2f} ms",
        f"{1000 * max(took):.1f} ms",
        f"+{(peak - before) / 2**20:.1f} MiB",
        f"{closed[0]:.1f} s" if closed else "",
    ]


@click.command()
@click.option("--passwords", "count", default=10_000, help="How many are guessed; 0 for none.")
@click.option("--guessers", default=50, help="Clients that guess at once.")
@click.option("--seconds", default=20.0, help="How long one talks.")
def main(count: int, guessers: int, seconds: float) -> None:
    console = Console()
    if count:
        asyncio.run(passwords(count, guessers, seconds / 2, console))
    asyncio.run(slow_reader(seconds, console))


if __name__ == "__main__":
    main()
