"""Several nodes at one Redis: one state, one order, and messages from one to the other."""

import asyncio
import random
from contextlib import suppress

import pytest
from msgspec.structs import replace

from roomcall.protocol.room import Metadata
from roomcall_server.rooms.outcome import Outcome, Refused
from roomcall_server.store.base import Commit, Conflict, RoomWrite, SessionWrite, StoreAway
from tests.store.conftest import NOW, keep, new_room, new_session, send
from tests.store.redis.conftest import Enter, making, session_at
from tests.store.test_events import event
from tests.store.test_order import join, race

pytestmark = pytest.mark.system("redis-server")


async def test_what_one_writes_all_have(enter: Enter, redis_url: str) -> None:
    ann, ben = await enter(redis_url), await enter(redis_url)
    den, hall = new_room("den"), new_room("hall", private=True)
    client = new_session(id="ann", node=ann.store.node)
    writes = (SessionWrite(None, client),)
    await ann.store.commit(making(den, hall, sessions=writes, effects=(send("made"),)))
    await ben.knows(client)
    for read in (
        lambda store: store.room(den.id),
        lambda store: store.room_named("den"),
        lambda store: store.rooms(),
        lambda store: store.session("ann"),
        lambda store: store.public_rooms(9, None, ""),
    ):
        assert await read(ann.store) == await read(ben.store)
    assert ann.changed == [(den.id, True), (hall.id, True), ("ann", True)]
    assert ben.changed == [(id, False) for id, _ in ann.changed]
    late = await enter(redis_url)
    assert await late.store.rooms() == await ann.store.rooms()
    assert (await late.store.inherited()).rooms == tuple(await ann.store.rooms())
    found = await late.store.room(den.id)
    assert found is not None
    await late.store.commit(Commit(rooms=(RoomWrite(found, None, closed_at=NOW),)))
    await ben.sees(lambda: den.id not in ben.store._rooms)
    assert await ben.store.closed_at(den.id) == NOW
    with pytest.raises(Conflict):
        await ann.store.commit(making(new_room(id=den.id)))
    assert await ann.store.room_named("den") is None


async def test_who_is_elsewhere_is_told_there(enter: Enter, redis_url: str) -> None:
    """In order with commits, and nobody twice."""
    ann, ben = await enter(redis_url), await enter(redis_url)
    here, there = await session_at(ann, id="here"), await session_at(ben, id="there")
    await ann.knows(there)
    await ben.knows(here)
    room = new_room()
    for number in range(5):
        await ann.store.publish([send(f"{number} to one", "there")], room.id)
        await ann.store.publish([send(f"{number} to both", "here", "there")])
        await ann.store.publish([send(f"{number} to me", "here")])
        change = making(new_room(f"{number}"), effects=(send(f"{number} made", "there", "here"),))
        await ann.store.commit(change)
    await ben.sees(lambda: "4 made" in ben.told)
    told = [f"{number} {what}" for number in range(5) for what in ("to one", "to both", "made")]
    assert ben.told == told
    assert ann.told == [
        f"{number} {what}" for number in range(5) for what in ("to both", "to me", "made")
    ]


async def test_what_waits_for_a_commit_of_its_room(enter: Enter, redis_url: str) -> None:
    ann, ben = await enter(redis_url), await enter(redis_url)
    await ann.knows(await session_at(ben, id="there"))
    await ben.knows(await session_at(ann, id="here"))
    room = new_room()
    made = asyncio.create_task(ann.store.commit(making(room, effects=(send("made", "there"),))))
    await asyncio.sleep(0)
    await ann.store.publish([send("said", "there", "here")], room.id)
    await made
    await ben.sees(lambda: "said" in ben.told)
    assert ben.told == ["made", "said"]
    assert ann.told == ["made", "said"]  # the registry knows who is here; the store told it


async def test_forty_from_two_nodes_for_ten_places(enter: Enter, redis_url: str) -> None:
    """And all hear of them in one order."""
    nodes = [await enter(redis_url), await enter(redis_url)]
    room = new_room(max_participants=10)
    await nodes[0].store.commit(making(room))
    sessions = [await session_at(nodes[number % 2]) for number in range(40)]
    for node in nodes:
        await node.knows(room)
        await node.knows(sessions[-1])
        await node.knows(sessions[-2])
        node.told.clear()
    results = await asyncio.gather(
        *(race(nodes[n % 2].store, session, room.id, join) for n, session in enumerate(sessions))
    )
    assert sum(isinstance(result, Outcome) for result in results) == 10
    assert sum(isinstance(result, Refused) for result in results) == 30
    found = await nodes[0].store.room(room.id)
    assert found is not None and len(found.members) == 10
    for node in nodes:
        await node.sees(lambda node=node: node.store._rooms[room.id] == found)  # type: ignore[misc]


async def test_two_make_a_room_by_name_at_once(enter: Enter, redis_url: str) -> None:
    nodes = [await enter(redis_url), await enter(redis_url)]
    for number in range(20):
        rooms = [new_room(f"{number}"), new_room(f"{number}")]
        made = await asyncio.gather(
            *(node.store.commit(making(room)) for node, room in zip(nodes, rooms, strict=True)),
            return_exceptions=True,
        )
        assert sorted(type(one) for one in made if one is not None) == [Conflict]
        # Who has lost sees the room of the other at once.
        named = [await node.store.room_named(f"{number}") for node in nodes]
        winner = made.index(None)
        assert named[1 - winner] is not None
        assert named[1 - winner].id == rooms[winner].id  # type: ignore[union-attr]


async def test_chat_and_history_are_of_all(enter: Enter, redis_url: str) -> None:
    ann, ben = await enter(redis_url), await enter(redis_url)
    room = new_room()
    await ann.store.commit(making(room, events=(event(room.id, 1),)))
    await ben.knows(room)
    for number, node in enumerate((ann, ben, ann), 1):
        await node.store.publish([keep(room.id, number)])
    await ben.store.commit(Commit(events=(event(room.id, 2),)))
    for node in (ann, ben):
        messages, more = await node.store.chat(room.id, None, 9)
        assert ([message.id for message in messages], more) == ([1, 2, 3], False)
        kept = await node.store.events(room.id, 0, 9)
        assert [one.event.at.minute for one in kept] == [1, 2]


async def test_questions(enter: Enter, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = await enter(redis_url), await enter(redis_url)
    asked = []

    async def answer(node: str, message: bytes) -> bytes:
        asked.append((node, message))
        if message == b"fail":
            raise ValueError
        return message[::-1]

    ben.store.answer(answer)
    replies = await asyncio.gather(
        *(ann.store.ask(ben.store.node, f"{number}!".encode()) for number in range(10))
    )
    assert replies == [f"!{number}".encode() for number in range(10)]
    assert asked[0] == (ann.store.node, b"0!")
    monkeypatch.setattr("roomcall_server.store.redis.asking.PATIENCE", 0.2)
    with pytest.raises(TimeoutError):
        await ann.store.ask(ben.store.node, b"fail")
    monkeypatch.undo()
    with pytest.raises(StoreAway):
        await ann.store.ask("nobody", b"")


async def test_what_is_for_others_is_bounded(
    enter: Enter, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = await enter(redis_url), await enter(redis_url)
    await ann.knows(await session_at(ben, id="there"))
    monkeypatch.setattr("roomcall_server.store.redis.posts.MAX_ITEMS", 3)
    for number in range(3):
        await ann.store.publish([send(f"{number}", "there")])
    with pytest.raises(StoreAway):
        await ann.store.publish([send("too much", "there", "somebody")])
    assert ann.told == []
    await ben.sees(lambda: len(ben.told) == 3)
    await ann.sees(lambda: ann.store._life.posts._count == 0)
    await ann.store.publish([send("again", "there")])
    await ben.sees(lambda: ben.told == ["0", "1", "2", "again"])


async def test_a_name_that_is_free_again(enter: Enter, redis_url: str) -> None:
    ann, ben = await enter(redis_url), await enter(redis_url)
    room = new_room("den")
    await ann.store.commit(making(room))
    found = await ann.store.room(room.id)
    assert found is not None
    await ann.store.commit(Commit(rooms=(RoomWrite(found, replace(found, name="hall")),)))
    await ben.sees(lambda: "hall" in ben.store._names)
    await ben.store.commit(making(new_room("den")))
    with pytest.raises(Conflict):
        await ben.store.commit(making(new_room("hall")))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_all_have_the_same(enter: Enter, redis_url: str, seed: int) -> None:
    """Two that write, and one who comes later and reads what is in Redis."""
    chance = random.Random(seed)
    nodes = [await enter(redis_url), await enter(redis_url)]
    for step in range(150):
        store = chance.choice(nodes).store
        id, name = f"{chance.randrange(6)}", f"name {chance.randrange(4)}"
        room, session = await store.room(id), await store.session(id)
        after = None if chance.random() < 0.3 else replace(room or new_room(id=id), name=name)
        if after is not None:
            after = replace(after, metadata=Metadata(private=chance.random() < 0.3), chats=step)
        closed_at = NOW if chance.random() < 0.1 else None
        its = None if chance.random() < 0.3 else (session or new_session(id=id)).entered(name)
        commit = Commit(
            rooms=(RoomWrite(room, after, closed_at),) if room or after else (),
            sessions=(SessionWrite(session, its),) if session or its else (),
            effects=(keep(id, step),) if after is not None and chance.random() < 0.5 else (),
        )
        with suppress(Conflict):
            await store.commit(commit)
    await nodes[0].sees(lambda: nodes[0].store.version == nodes[1].store.version)
    stores = [node.store for node in (*nodes, await enter(redis_url))]
    for look in ("_rooms", "_sessions", "_names", "_public", "_closed", "version"):
        first, *others = (getattr(store, look) for store in stores)
        assert all(other == first for other in others), look
    assert stores[0]._rooms
