"""Those who receive from one publisher, and the process that it is."""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import psutil

import roomcall
import roomcall_server
from roomcall.signaling.base import MemberGone, MemberHere, Signal
from roomcall.signaling.room import JoinOptions, RoomClient

from .publisher import NAME

Row = TypeVar("Row", bound=NamedTuple)

ROOM = "bench"
WARM_UP = 2.0  # seconds from the last first frame on
FIRST_FRAME = 30.0


class Figures(NamedTuple):
    """The publisher's CPU seconds a second; the least of what receivers got a second."""

    cpu: float
    fps: float
    kbit: float


def median(rounds: Sequence[Row]) -> Row:
    """Of each figure for itself."""
    return rounds[0]._make(statistics.median(column) for column in zip(*rounds, strict=True))


class Selective:
    """A signaling by which only those of one name are seen: so receivers do not see each other."""

    def __init__(self, server: str, room: str, other: str = NAME, name: str = "") -> None:
        self._client = RoomClient(server, room, JoinOptions(name))
        self._name = other
        self._others: set[str] = set()

    async def connect(self) -> str:
        return await self._client.connect()

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        await self._client.send(to, message)

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for event in self._client:
            match event:
                case MemberHere(id, name) if name == self._name:
                    self._others.add(id)
                    yield event
                case MemberGone(id) | Signal(id) if id in self._others:
                    yield event

    async def close(self) -> None:
        await self._client.close()


@asynccontextmanager
async def publisher(which: str, server: str, *arguments: str) -> AsyncIterator[psutil.Process]:
    """A process of `benchmarks.publisher`, from when it can be joined."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.publisher", which, server, ROOM, *arguments),
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


@asynccontextmanager
async def receivers(
    server: str, networks: Sequence[str | None], **options: Any
) -> AsyncIterator[list[roomcall.Call]]:
    """One for each network, from when each has had a picture."""
    async with AsyncExitStack() as stack:
        calls = [
            await stack.enter_async_context(
                roomcall.join(ROOM, signaling=Selective(server, ROOM), network=network, **options)
            )
            for network in networks
        ]
        for call in calls:
            await call.wait_for(roomcall.FirstFrame, FIRST_FRAME, kind="video")
        yield calls


async def measure(which: str, count: int, seconds: float, *arguments: str) -> Figures:
    """A publisher to so many."""
    async with (
        roomcall_server.serve() as server,
        publisher(which, server.url, *arguments) as process,
        receivers(server.url, [None] * count) as calls,
    ):
        return await watch(lambda: cpu_of(process), calls, seconds)


async def watch(
    cpu_used: Callable[[], float], calls: Sequence[roomcall.Call], seconds: float
) -> Figures:
    """For so many seconds, when it has warmed up."""
    await asyncio.sleep(WARM_UP)
    loop = asyncio.get_running_loop()
    before, cpu, since = await received(calls), cpu_used(), loop.time()
    await asyncio.sleep(seconds)
    after, cpu, elapsed = await received(calls), cpu_used() - cpu, loop.time() - since
    grown = [(f - f0, b - b0) for (f, b), (f0, b0) in zip(after, before, strict=True)]
    frames, size = (min(column) for column in zip(*grown, strict=True)) if grown else (0, 0)
    return Figures(cpu / elapsed, frames / elapsed, size * 8 / 1000 / elapsed)


def cpu_of(process: psutil.Process) -> float:
    """Seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def received(calls: Sequence[roomcall.Call]) -> list[tuple[int, int]]:
    """Frames and bytes so far, of each receiver."""
    reports = [peer["video"]["inbound"] for call in calls for peer in (await call.stats()).values()]
    return [(report["framesReceived"], report["bytesReceived"]) for report in reports]
