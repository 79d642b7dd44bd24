"""Connections to Redis that break, a Redis that stands still, and one that comes back, with what it
had and without."""

import asyncio
from contextlib import suppress

import pytest
from msgspec.structs import replace

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
from tests.store.redis.conftest import WAIT, Enter, Two, making, raw, session_at, work

pytestmark = pytest.mark.system("redis-server")


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


@pytest.mark.parametrize("how", ["restart", "flush", "older"])
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
            await (operator.flushall() if how == "flush" else operator.set("roomcall:version", 1))
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


async def test_records_that_somebody_else_has_spoiled(two: Two, redis: RedisServer) -> None:
    """A commit that can never be does not try for ever."""
    ann, ben = two
    room = new_room("den")
    await ann.store.commit(making(room))
    await ben.knows(room)
    async with raw(redis) as operator:
        await operator.hdel("roomcall:versions", f"r{room.id}")
    async with asyncio.timeout(WAIT):
        while (found := await ann.store.room(room.id)) is not None:
            write = RoomWrite(found, replace(found, chats=1))
            with suppress(Conflict, StoreAway):
                await ann.store.commit(Commit(rooms=(write,)))
            await ann.store.returned()
    assert ann.lost == 1


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
