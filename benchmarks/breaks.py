"""The breaks that `benchmarks.healing` measures. Each gives a tuple of figures for every round, and
calls `tick` after it."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import roomcall
import roomcall_server

FPS = 15
OPTIONS: dict[str, Any] = {"video": "testsrc", "video_size": (160, 120), "fps": FPS}
Tick = Callable[[], None]
Figures = tuple[float, ...]  # of one round

PATIENCE = 30.0  # seconds for anything that is waited for
SETTLED = 1.2  # seconds after a restart in which its pictures count; the old path ends after 1 s
PAIRS = 5  # that are cut side by side
CUT, BETWEEN, BEFORE = 10.0, 8.0, 4.0  # seconds of a cut, between two, before the first
AWAY = 8.0  # seconds without a server
ROOMCALL = Path(sys.executable).with_name("roomcall")


def now() -> float:
    return asyncio.get_running_loop().time()


class Watch:
    """When the pictures of a peer came, decoded."""

    def __init__(self, peer: roomcall.Peer) -> None:
        self._times: list[float] = []
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run(peer))

    async def _run(self, peer: roomcall.Peer) -> None:
        assert peer.video is not None, "its first frame has come"
        async for _ in peer.video.frames():
            self._times.append(now())
            self._changed.set()

    async def first_after(self, moment: float) -> float:
        """When the first picture came after that."""
        async with asyncio.timeout(PATIENCE):
            while not self._times or self._times[-1] <= moment:
                self._changed.clear()
                await self._changed.wait()
        return next(time for time in self._times if time > moment)

    def longest_gap(self, since: float) -> float:
        """Between two pictures, or the last one and now; that over `since` counts as well."""
        later = [time for time in self._times if time > since]
        before = [time for time in self._times if time <= since][-1:]
        times = [*before, *later, now()]
        return max(b - a for a, b in zip(times, times[1:], strict=False))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def calls(
    server: str, room: str, *networks: str | None, audio: str = "none", **options: Any
) -> AsyncIterator[list[roomcall.Call]]:
    """One for each network, each of which has a picture of every other."""
    options = {"server": server, "audio": audio, **OPTIONS, **options}
    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(
                roomcall.join(room, name=f"{i}", network=network, **options)
            )
            for i, network in enumerate(networks)
        ]
        for call in found:
            for other in found:
                if other is not call:
                    await call.wait_for(
                        roomcall.FirstFrame, PATIENCE, kind="video", peer=call.peers[other.id]
                    )
        yield found


@asynccontextmanager
async def watched(found: list[roomcall.Call]) -> AsyncIterator[list[Watch]]:
    watches = [Watch(peer) for call in found for peer in call.peers.values()]
    try:
        for watch in watches:
            await watch.first_after(now())
        yield watches
    finally:
        await asyncio.gather(*(watch.close() for watch in watches))


# ICE restarted on a living path


async def restart(rounds: int, tick: Tick) -> list[Figures]:
    """Milliseconds beyond the frames' distance: with a restart, and without."""
    figures: list[Figures] = []
    async with (
        roomcall_server.serve() as server,
        calls(server.url, "bench", None, None) as (ann, bob),
        watched([ann, bob]) as watches,
    ):
        for number in range(rounds):
            gaps = []
            for idle in (False, True):
                begun = now()
                if not idle:
                    call, other = ((ann, bob), (bob, ann))[number % 2]
                    await call.peers[other.id].reconnect()
                await asyncio.sleep(SETTLED)
                longest = max(watch.longest_gap(begun) for watch in watches)
                gaps.append(1000 * (longest - 1 / FPS))
            figures.append(tuple(gaps))
            tick()
    return figures


# Nothing passes for a while


async def cut(rounds: int, tick: Tick) -> list[Figures]:
    """Seconds from the cut until both have told, and from the mending to the first picture."""
    pairs = min(PAIRS, rounds)
    shares = [len(range(pair, rounds, pairs)) for pair in range(pairs)]
    async with roomcall_server.serve() as server, asyncio.TaskGroup() as group:
        tasks = []
        for pair, share in enumerate(shares):
            tasks.append(group.create_task(_cut_pair(server.url, pair, share, tick)))
            # So that they are not all cut at once.
            await asyncio.sleep((CUT + BETWEEN) / pairs)
    return [figures for task in tasks for figures in task.result()]


async def _cut_pair(server: str, pair: int, rounds: int, tick: Tick) -> list[Figures]:
    phases = random.Random(pair)
    # Anywhere in the second between two questions for consent.
    starts = [BEFORE + number * (CUT + BETWEEN) + phases.random() for number in range(rounds)]
    network = ",".join(f"cut={start:g}s+{CUT:g}s" for start in starts)
    figures: list[Figures] = []
    async with (
        calls(server, f"bench {pair}", network, None) as found,
        watched(found) as watches,
        asyncio.TaskGroup() as group,
    ):
        line = found[0]._ice.line
        assert line is not None, "it has a network"
        told: list[list[float]] = [[], []]
        hearing = [
            group.create_task(_hear(call, times)) for call, times in zip(found, told, strict=True)
        ]
        for start in starts:
            begun, mended = line.begun + start, line.begun + start + CUT
            first = [await watch.first_after(mended) for watch in watches]
            lost = [next(time for time in times if time > begun) for times in told]
            figures.append((max(lost) - begun, max(first) - mended))
            tick()
        for task in hearing:
            task.cancel()
    return figures


async def _hear(call: roomcall.Call, times: list[float]) -> None:
    """When it says that its path is lost."""
    async for event in call:
        match event:
            case roomcall.PeerDisconnected():
                times.append(now())


# The server is killed


@asynccontextmanager
async def server_process(
    port: int, *options: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`roomcall serve`, from when it listens, and its URL."""
    process = await asyncio.create_subprocess_exec(
        *(str(ROOMCALL), "serve", "--port", str(port), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("Listening at "), line
        yield process, line.split()[-1]
    finally:
        process.kill()
        await process.wait()


async def server(rounds: int, tick: Tick) -> list[Figures]:
    """Seconds: the longest gap, and from the server's return until all know each other."""
    figures: list[Figures] = []
    for _ in range(rounds):
        async with AsyncExitStack() as stack:
            async with server_process(0) as (process, url):
                found = await stack.enter_async_context(calls(url, "bench", *[None] * 4))
                watches = await stack.enter_async_context(watched(found))
                process.kill()
                killed = now()
            await asyncio.sleep(AWAY - (now() - killed))
            await stack.enter_async_context(server_process(int(url.rpartition(":")[2])))
            back = now()
            for call in found:
                restored = await call.wait_for(roomcall.SignalingRestored, PATIENCE)
                assert len(restored.renamed) == len(found) - 1, restored
                assert {peer.state for peer in call.peers.values()} == {"connected"}
            known = now() - back
            await asyncio.sleep(1)
            figures.append((max(watch.longest_gap(killed) for watch in watches), known))
        tick()
    return figures
