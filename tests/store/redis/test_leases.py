"""Nodes that die, and those that only seemed to."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from roomcall_server.store.redis.leases import Observer
from tests.redis import RedisServer
from tests.store.conftest import new_room
from tests.store.redis.conftest import WAIT, Enter, making

Start = Callable[[str], Awaitable[tuple[Process, str]]]

SYSTEM = pytest.mark.system("redis-server")


def test_who_stands_still_for_the_lease_is_dead() -> None:
    observer = Observer(lease=5, hole=1.5)
    for second in range(5):
        assert observer.look(second, {"a": second, "b": 7}) == []
    assert observer.look(5, {"a": 5, "b": 7}) == ["b"]
    assert observer.look(6, {"a": 6, "b": 8}) == []
    assert observer.look(7, {"a": 7}) == []


def test_who_could_not_look_has_seen_nobody_stand_still() -> None:
    observer = Observer(lease=5, hole=1.5)
    for second in (0, 1, 2, 3, 4, 8):  # a Redis that was stopped, or this very process
        assert observer.look(second, {"a": 1}) == []
    for second in (9, 10, 11, 12):
        assert observer.look(second, {"a": 1}) == []
    assert observer.look(13, {"a": 1}) == ["a"]


def test_who_is_new_has_its_whole_lease() -> None:
    observer = Observer(lease=2, hole=1.5)
    for second in range(10):
        assert observer.look(second, {"old": second}) == []
    assert observer.look(10, {"old": 10, "new": 0}) == []
    assert observer.look(11, {"old": 11, "new": 0}) == []
    assert observer.look(12, {"old": 12, "new": 0}) == ["new"]


# A node in a process of its own: it says its id, and again when that has changed.
NODE = """
import asyncio, sys
from roomcall_server.clients.session import Session
from roomcall_server.store.base import Commit, Listeners, SessionWrite
from roomcall_server.store.redis import life
from roomcall_server.store.redis.store import RedisStore

life.BEAT, life.LEASE, life.RETRY = 0.1, 600, 0.05

async def main():
    store = await RedisStore.open(sys.argv[1], 10)
    store.listen(Listeners(lost=lambda: print(store.node, flush=True)))
    session = Session(id="client", max_rooms=8, node=store.node)
    await store.commit(Commit(sessions=(SessionWrite(None, session),)))
    print(store.node, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """A node in another process: that, and its id."""
    processes: list[Process] = []

    async def start(url: str) -> tuple[Process, str]:
        path = f"import sys; sys.path[:0] = {sys.path!r}\n"
        command = (sys.executable, "-c", path + NODE, url)
        processes.append(await asyncio.create_subprocess_exec(*command, stdout=PIPE))
        return processes[-1], await line_of(processes[-1])

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_of(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(WAIT):
        return (await process.stdout.readline()).decode().strip()


@SYSTEM
async def test_one_of_those_who_live_looks_after_the_sessions_of_a_dead_node(
    mortal: None,
    enter: Enter,
    redis: RedisServer,
    start: Start,
) -> None:
    living = [await enter(redis.url) for _ in range(3)]
    process, dead = await start(redis.url)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    for node in living:
        await node.sees(lambda: any(each.buried for each in living))
        await node.sees(lambda node=node: dead not in node.store._life._nodes)  # type: ignore[misc]
        session = await node.store.session("client")
        assert session is not None and session.node == dead
    assert sorted(each.buried for each in living) == [[], [], [dead]]
    assert [each.lost for each in living] == [0, 0, 0]


@SYSTEM
async def test_a_node_that_was_taken_for_dead_begins_anew(
    mortal: None,
    enter: Enter,
    redis: RedisServer,
    start: Start,
) -> None:
    ann = await enter(redis.url)
    process, before = await start(redis.url)
    process.send_signal(signal.SIGSTOP)
    await ann.sees(lambda: ann.buried == [before])
    room = new_room()
    await ann.store.commit(making(room))
    process.send_signal(signal.SIGCONT)
    after = await line_of(process)
    assert after not in (before, "")
    await ann.sees(lambda: ann.store._life._nodes == {ann.store.node, after})
    assert ann.buried == [before]


@SYSTEM
async def test_who_leaves_nobody_behind_is_no_node_any_more(
    mortal: None, enter: Enter, redis: RedisServer
) -> None:
    ann, ben = await enter(redis.url), await enter(redis.url)
    await ann.sees(lambda: len(ann.store._life._nodes) == 2)
    await ben.store.close()
    await ann.sees(lambda: ann.store._life._nodes == {ann.store.node})
    assert ann.buried == []
