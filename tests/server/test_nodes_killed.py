"""Nodes and Redis that are killed or stopped while people talk: nothing silent is lost, and nothing
doubled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from benchmarks.killing import Gate, Server, heard_all, talk, talking
from benchmarks.talkers import Talker
from benchmarks.told import Ledger

pytestmark = pytest.mark.system("redis-server")


@asynccontextmanager
async def processes(url: str) -> AsyncIterator[tuple[list[Server], Gate]]:
    """Two of them, behind one address."""
    gate = Gate()
    servers = [Server(url, "--resume-grace", "5") for _ in range(2)]
    await gate.open()
    try:
        await asyncio.gather(*(server.start() for server in servers))
        gate.ports = [server.port for server in servers]
        yield servers, gate
    finally:
        await gate.close()
        await asyncio.gather(*(server.kill() for server in servers))


@asynccontextmanager
async def spoken(ledger: Ledger, talkers: list[Talker]) -> AsyncIterator[None]:
    """People talk meanwhile; at the end all that can be heard was heard."""
    done = asyncio.Event()
    speaking = asyncio.create_task(talk(talkers, 200, 5, done.is_set))
    yield
    done.set()
    await speaking
    await heard_all(ledger)


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_nodes_that_are_killed_while_people_talk(redis_url: str) -> None:
    async with processes(redis_url) as (servers, gate), talking(gate, 16) as (ledger, talkers):
        async with spoken(ledger, talkers):
            for server in servers:
                await asyncio.sleep(3)
                await server.kill()
                await asyncio.sleep(1)
                await server.start()
            await asyncio.sleep(3)
        assert (ledger.disordered, ledger.lost()[1]) == (0, 0)
        assert ledger.gaps > 0 and ledger.received > 1000
        assert sum(talker.resumed for talker in talkers) >= 8
        assert sum(talker.renewed for talker in talkers) == 0


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_a_roll_out_while_people_talk(redis_url: str) -> None:
    """Nothing is missing, and nobody is told that it might be."""
    async with processes(redis_url) as (servers, gate), talking(gate, 16) as (ledger, talkers):
        async with spoken(ledger, talkers):
            for server in servers:
                await asyncio.sleep(1)
                await server.stop()
                await server.start()
            await asyncio.sleep(1)
        assert (ledger.disordered, ledger.gaps, ledger.lost()) == (0, 0, (0, 0))
        assert sum(talker.resumed for talker in talkers) >= 16


Serve = Callable[..., AbstractAsyncContextManager[Any]]


async def _two(stack: AsyncExitStack, serve: Serve, url: str, gate: Gate) -> list[Any]:
    servers = [
        await stack.enter_async_context(serve(store=url, rate_messages=0, drain_seconds=0))
        for _ in range(2)
    ]
    gate.ports = [server.port for server in servers]
    await gate.open()
    stack.push_async_callback(gate.close)
    return servers


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_a_redis_that_is_stopped_for_eight_seconds(serve: Serve, redis: Any) -> None:
    """Nobody is buried, nobody leaves, and what was said while it was silent is told or refused."""
    gate = Gate()
    async with AsyncExitStack() as stack:
        servers = await _two(stack, serve, redis.url, gate)
        nodes = [server.service.context.store.node for server in servers]
        async with talking(gate, 8) as (ledger, talkers):
            done = asyncio.Event()
            speaking = asyncio.create_task(talk(talkers, 50, 10, done.is_set))
            await asyncio.sleep(1)
            redis.stop()
            await asyncio.sleep(8)
            redis.go_on()
            await back(servers)
            before = ledger.received
            await asyncio.sleep(2)
            done.set()
            await speaking
            await heard_all(ledger)
            assert (ledger.disordered, ledger.lost()[1], ledger.gaps) == (0, 0, 0)
            assert ledger.received > before
            assert [server.service.context.store.node for server in servers] == nodes
            assert sum(talker.resumed for talker in talkers) == 0


@pytest.mark.parametrize("forget", [False, True], ids=["with its data", "without"])
async def test_a_redis_that_is_restarted(serve: Serve, redis: Any, forget: bool) -> None:
    gate = Gate()
    async with AsyncExitStack() as stack:
        servers = await _two(stack, serve, redis.url, gate)
        async with talking(gate, 8) as (ledger, talkers):
            done = asyncio.Event()
            speaking = asyncio.create_task(talk(talkers, 50, 10, done.is_set))
            await asyncio.sleep(0.5)
            redis.kill(forget=forget)
            await away(servers)
            redis.start()
            await back(servers)
            await asyncio.sleep(1)
            done.set()
            await speaking
            await heard_all(ledger)
            assert (ledger.disordered, ledger.lost()[1]) == (0, 0)
            assert sum(talker.renewed for talker in talkers) == 0
            rooms = [await server.service.context.store.rooms() for server in servers]
            assert [sorted(room.id for room in of) for of in rooms][0] == sorted(
                room.id for room in rooms[1]
            )
            assert {len(room.members) for of in rooms for room in of} == {4}


async def back(servers: list[Any]) -> None:
    async with asyncio.timeout(20):
        for server in servers:
            await server.service.context.store.returned()


async def away(servers: list[Any]) -> None:
    async with asyncio.timeout(20):
        while any(server.service.store_available for server in servers):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
