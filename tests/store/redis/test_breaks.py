"""Connections to Redis that break, a Redis that stands still, and one that comes back, with what it
had and without."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from roomcall_server.store.base import (
    Commit,
    Conflict,
    RoomWrite,
    SessionWrite,
    StoreAway,
    StoreUncertain,
)
from roomcall_server.store.redis import life
from tests.redis import RedisServer
from tests.store.conftest import NOW, new_room, new_session, send
from tests.store.redis.conftest import WAIT, Enter, Node
from tests.store.redis.test_nodes import making, session_at

pytestmark = pytest.mark.system("redis-server")

Two = tuple[Node, Node]


@asynccontextmanager
async def raw(redis: RedisServer) -> AsyncIterator["Redis"]:
    """An operator's connection."""
    client = Redis.from_url(redis.url)
    try:
        yield client
    finally:
        await client.aclose()


async def work(two: Two) -> None:
    """All is well: what each commits, the other has."""
    for one, other in (two, two[::-1]):
        await one.back()
        room = new_room(f"made by {one.store.node}, {len(one.changed)}")
        async with asyncio.timeout(WAIT):
            while True:
                try:
                    await one.store.commit(making(room))
                    break
                except StoreAway:  # it has gone away again meanwhile
                    await one.store.returned()
        await other.knows(room)
    states = [[sorted(await node.store.rooms(), key=lambda room: room.id)] for node in two]
    assert states[0] == states[1]


async def test_a_redis_that_stands_still(
    mortal: None, enter: Enter, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = two = await enter(redis.url), await enter(redis.url)
    monkeypatch.setattr(life, "UNCERTAIN", 1.0)
    await ann.knows(await session_at(ben, id="there"))
    den = new_room("den")
    await ann.store.commit(making(den))
    await ben.knows(den)
    epoch = ann.store._life._epoch
    redis.stop()
    with pytest.raises(StoreUncertain):
        await ann.store.commit(making(new_room("hall"), effects=(send("hall", "there"),)))
    assert not ann.store.available
    with pytest.raises(StoreAway):  # at once now
        await asyncio.wait_for(ann.store.commit(making(new_room("loft"))), 0.2)
    await ann.store.publish([send("here", "me")])
    with pytest.raises(StoreAway):
        await ann.store.publish([send("never", "there")])
    for call in (ann.store.chat(den.id, None, 1), ann.store.ask(ben.store.node, b"")):
        with pytest.raises(StoreAway):
            await call
    assert await ann.store.room(den.id) is not None
    await ben.away()
    await asyncio.sleep(1.6)  # longer than the lease
    redis.go_on()
    await work(two)
    # It has happened, or not, for everybody; and what is told has.
    found = [await node.store.room_named("hall") for node in two]
    assert found[0] == found[1]
    for node in two:
        assert node.told.count("hall") == (found[0] is not None)
        assert (node.buried, node.lost) == ([], 0)
    assert ann.told.count("here") == 1
    assert ann.store._life._epoch == epoch


async def test_a_redis_that_comes_back_with_what_it_had(two: Two, redis: RedisServer) -> None:
    ann, ben = two
    den = new_room("den")
    await ann.store.commit(making(den))
    await ben.knows(den)
    redis.kill()
    await ann.away()
    await ben.away()
    redis.start()
    await work(two)
    assert [node.lost for node in two] == [0, 0]
    assert [node.buried for node in two] == [[], []]


@pytest.mark.parametrize("how", ["restart", "flush"])
async def test_a_redis_that_has_lost_its_memory(two: Two, redis: RedisServer, how: str) -> None:
    """The nodes bring back what they have: one state, and no name twice."""
    ann, ben = two
    den, gone = new_room("den"), new_room("gone")
    clients = [await session_at(ann, id="ann"), await session_at(ben, id="ben")]
    await ann.store.commit(making(den, gone))
    await ben.knows(gone)
    found = await ben.store.room(gone.id)
    await ben.store.commit(Commit(rooms=(RoomWrite(found, None, closed_at=NOW),)))
    await ann.sees(lambda: gone.id not in ann.store._rooms)
    nodes = [ann.store.node, ben.store.node]
    if how == "restart":
        redis.kill(forget=True)
        await ann.away()
        await ben.away()
        redis.start()
    else:
        async with raw(redis) as operator:
            await operator.flushall()
    for node in two:
        await node.sees(lambda node=node: node.lost > 0)  # type: ignore[misc]
    await work(two)
    assert ann.store._life._epoch == ben.store._life._epoch
    assert [ann.store.node, ben.store.node] == nodes
    for node in two:
        assert await node.store.room_named("den") is not None
        assert await node.store.closed_at(gone.id) == NOW
        for client in clients:
            assert await node.store.session(client.id) is not None
    for node in two:
        with pytest.raises(Conflict):
            await node.store.commit(making(new_room("den")))
    assert [node.buried for node in two] == [[], []]


async def test_nothing_lost_or_doubled_while_connections_break(
    two: Two, redis: RedisServer
) -> None:
    """Messages to the other node, and commits, while somebody cuts every connection again and
    again."""
    ann, ben = two
    await ann.knows(await session_at(ben, id="there"))
    counter = new_room("counter")
    await ann.store.commit(making(counter))
    sent: list[str] = []
    committed = 0

    async def talk() -> None:
        for number in range(150):
            while True:
                try:
                    await ann.store.publish([send(f"{number}", "there")])
                    break
                except StoreAway:
                    await ann.store.returned()
            sent.append(f"{number}")
            await asyncio.sleep(0.005)

    async def count() -> None:
        nonlocal committed
        for _ in range(40):
            await ann.store.returned()
            room = await ann.store.room(counter.id)
            assert room is not None
            write = RoomWrite(room, replace(room, chats=room.chats + 1))
            try:
                await ann.store.commit(Commit(rooms=(write,)))
                committed += 1
            except StoreAway as away:
                assert not isinstance(away, StoreUncertain)

    async def cut(done: asyncio.Event) -> None:
        async with raw(redis) as operator:
            while not done.is_set():
                await asyncio.sleep(0.07)
                await operator.client_kill_filter(_type="normal", skipme=True)

    done = asyncio.Event()
    cutting = asyncio.create_task(cut(done))
    await asyncio.gather(talk(), count())
    done.set()
    await cutting
    await work(two)
    await ben.sees(lambda: len(ben.told) >= len(sent))
    assert ben.told == sent
    room = await ben.store.room(counter.id)
    assert room is not None and room.chats == committed
    assert [node.lost for node in two] == [0, 0]


class Way:
    """Between a node and its Redis: it may hold what one of them says, on the connections that
    there are."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[Any] = []
        self._held: list[Callable[[], Awaitable[None]]] = []
        self.holds: str | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: Any, writer: Any) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends += (writer, forth)
        for what, source, target in (("calls", reader, forth), ("replies", back, writer)):
            task = asyncio.create_task(self._pass(what, source, target))
            self._tasks.add(task)

    async def _pass(self, what: str, source: Any, target: Any) -> None:
        held: list[bytes] = []
        holds = False
        while data := await source.read(65536):
            holds = holds or self.holds == what
            if not holds:
                target.write(data)
                continue
            held.append(data)
            if len(held) == 1:
                self._held.append(lambda: self._release(held, target))
        if not holds:
            target.close()

    async def _release(self, held: list[bytes], target: Any) -> None:
        target.writelines(held)
        await target.drain()

    async def release(self) -> None:
        for release in self._held:
            await release()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server.close()
        for end in self._ends:
            end.transport.abort()


@pytest.fixture
async def way(redis: RedisServer) -> AsyncIterator[Way]:
    way = Way(redis.port)
    await way.open()
    yield way
    await way.close()


async def test_a_call_that_comes_late_is_refused(
    enter: Enter, way: Way, redis: RedisServer, quick: None
) -> None:
    """Who was told that nothing has happened was told the truth, whatever was still on its way."""
    ann, ben = await enter(f"redis://127.0.0.1:{way.port}"), await enter(redis.url)
    way.holds = "calls"
    late = asyncio.create_task(ann.store.commit(making(new_room("late"))))
    await ann.away()
    way.holds = None
    with pytest.raises(StoreAway) as away:
        await late
    assert not isinstance(away.value, StoreUncertain)
    await ann.back()
    await way.release()
    await work((ann, ben))
    assert await ben.store.room_named("late") is None
    await ann.store.commit(making(new_room("late")))


async def test_a_reply_that_never_comes(
    enter: Enter, way: Way, redis: RedisServer, quick: None
) -> None:
    """It has happened, and the stream says so."""
    ann, ben = await enter(f"redis://127.0.0.1:{way.port}"), await enter(redis.url)
    await ann.sees(lambda: len(ann.store._life._nodes) == 1)
    way.holds = "replies"
    room = new_room("made")
    made = asyncio.create_task(ann.store.commit(making(room, effects=(send("made"),))))
    await ben.knows(room)
    assert not made.done()
    await ann.away()
    way.holds = None
    await made
    assert ann.told == ["made"]
    assert await ann.store.room(room.id) == await ben.store.room(room.id)


async def test_a_hole_in_the_stream(two: Two, redis: RedisServer) -> None:
    ann, ben = two
    async with raw(redis) as operator:
        stream, node = f"roomcall:node:{ben.store.node}", ben.store.node
        # As if it had been trimmed: an entry of its stream is gone before it was read.
        await operator.hincrby("roomcall:counters", node, 3)
        room = new_room()
        await ann.store.commit(making(room, effects=(send("made"),)))
        await ben.sees(lambda: ben.lost == 1)
        await ben.knows(room)
        await work(two)
        await operator.delete(stream)
        await operator.hincrby("roomcall:counters", node, 1)  # and no entry comes after it
        await ben.sees(lambda: ben.lost == 2)
    await work(two)
    assert ann.lost == 0
    assert ben.store.node == node


async def test_a_session_of_a_client_outlives_it_all(two: Two, redis: RedisServer) -> None:
    """Sessions are opened and closed while Redis comes and goes, and both nodes agree."""
    ann, ben = two
    for _ in range(2):
        session = await session_at(ann)
        redis.kill()
        await ann.away()
        with pytest.raises(StoreAway):
            await ann.store.commit(Commit(sessions=(SessionWrite(None, new_session()),)))
        redis.start()
        await ann.back()
        found = await ann.store.session(session.id)
        await ann.store.commit(Commit(sessions=(SessionWrite(found, None),)))
    await work(two)
    assert ben.store._sessions == ann.store._sessions == {}
