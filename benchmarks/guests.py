"""Guests that come and go: what is left of them in the process of who stays.

`python -m benchmarks.guests URL` is the process of the guests: one comes for each line that it
reads, says `here` when it sees the host, goes with the next line, and says `gone`.
"""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import linear_regression

import psutil

import roomcall

from .breaks import OPTIONS, PATIENCE, Figures, Tick, server_process

WARM_UP = 20  # joins, after which memory counts
EVERY = 10  # joins between two looks at it
SOURCES = {**OPTIONS, "audio": "testsrc"}
Step = Callable[[], Awaitable[None]]


async def guests(rounds: int, tick: Tick) -> list[Figures]:
    """KiB a join from the 20th on, by regression, as the heap breathes; and more tasks, threads,
    descriptors than before."""
    async with (
        server_process(0) as (_, url),
        roomcall.join("bench", name="host", server=url, **SOURCES) as host,
        _guests(url) as (come, go),
    ):
        before, joins, memory = [0], [], []
        for number in range(1, rounds + 1):
            await come()
            (guest,) = host.peers.values()
            await _sees(host, guest)
            await go()
            await host.wait_for(roomcall.PeerLeft, PATIENCE, peer=guest)
            tick()
            if number == 1:
                before = await _held()
            if number >= WARM_UP and number % EVERY == 0:
                await _held()
                joins.append(number)
                memory.append(psutil.Process().memory_info().rss / 1024)
        after = await _held()
        grown = linear_regression(joins, memory).slope if len(joins) > 1 else 0.0
        return [(grown, *(b - a for a, b in zip(before, after, strict=True)))]


@asynccontextmanager
async def _guests(url: str) -> AsyncIterator[tuple[Step, Step]]:
    """To have the next one come, and go."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    orders, answers = process.stdin, process.stdout
    assert orders is not None and answers is not None

    async def step(answer: bytes) -> None:
        orders.write(b"\n")
        async with asyncio.timeout(PATIENCE):
            assert await answers.readline() == answer

    try:
        yield lambda: step(b"here\n"), lambda: step(b"gone\n")
    finally:
        orders.close()
        await process.wait()


async def _sees(call: roomcall.Call, peer: roomcall.Peer) -> None:
    added = await call.wait_for(roomcall.TrackAdded, PATIENCE, kind="video", peer=peer)
    async for _ in added.track.frames():
        return


async def _held() -> list[int]:
    """Tasks, threads, descriptors, when what was ending has ended."""
    await asyncio.sleep(2)
    gc.collect()
    return [len(asyncio.all_tasks()), threading.active_count(), psutil.Process().num_fds()]


async def _come_and_go(url: str) -> None:
    while await asyncio.to_thread(sys.stdin.readline):
        async with roomcall.join("bench", name="guest", server=url, **SOURCES) as call:
            (host,) = call.peers.values()
            await _sees(call, host)
            print("here", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
        print("gone", flush=True)


if __name__ == "__main__":
    asyncio.run(_come_and_go(sys.argv[1]))
