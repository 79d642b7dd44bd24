"""Effects in the order of the commits, and many who want the same at once."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from roomcall.protocol import replies, requests
from roomcall.protocol.errors import ErrorCode
from roomcall_server.clients.session import Session
from roomcall_server.rooms.outcome import Outcome, Refused
from roomcall_server.rooms.room import Room
from roomcall_server.rooms.rules import chatting, entering, leaving
from roomcall_server.store.base import Commit, Conflict, Listeners, RoomWrite, SessionWrite, Store
from tests.store.conftest import NOW, keep, new_room, new_session, send

PLACES, RACERS, ROOMS = 10, 40, 5


async def test_effects_come_in_the_order_of_the_commits(
    store: Store, write: Any, told: Any
) -> None:
    room = await write(None, new_room(), send("1"), send("2"))
    await store.publish([send("3")])
    stale = room
    room = await write(room, replace(room, chats=1), send("4"), keep(room.id, 1), send("5"))
    with pytest.raises(Conflict):
        await write(stale, None, send("never"))
    await write(None, new_session(), send("6"))
    await store.publish([])
    await write(room, None, send("7", "a", "b"))
    sends = await told.sends()
    assert [send.message.room_id for send in sends] == ["1", "2", "3", "4", "5", "6", "7"]
    assert sends[-1].to == ("a", "b")


async def shown(store: Store, id: str, chats: int) -> Room:
    """The room with so many: some stores show a change only when it is kept."""
    async with asyncio.timeout(5):
        while (room := await store.room(id)) is None or room.chats < chats:  # noqa: ASYNC110
            await asyncio.sleep(0)
    return room


async def test_what_is_told_of_a_room_comes_in_its_order(
    store: Store, write: Any, told: Any
) -> None:
    """Whatever of it waits, and whatever of others."""
    rooms = [await write(None, new_room(name)) for name in ("one", "other")]
    tasks, changed = [], 0
    for number in range(5):
        for room in rooms:
            now = await shown(store, room.id, changed)
            change = RoomWrite(now, replace(now, chats=number + 1))
            effects = (send(f"{room.name} {number} changed"),)
            steps: list[Any] = [store.publish([send(f"{room.name} {number} said")], room.id)]
            if number % 2 == 0:
                steps.insert(0, store.commit(Commit(rooms=(change,), effects=effects)))
            for step in steps:
                tasks.append(asyncio.create_task(step))
                await asyncio.sleep(0)
        changed = number + 1 if number % 2 == 0 else changed
    await asyncio.gather(*tasks)
    texts = await told.texts()
    for room in rooms:
        assert [text for text in texts if text.startswith(f"{room.name} ")] == [
            f"{room.name} {number} {what}"
            for number in range(5)
            for what in (("changed", "said") if number % 2 == 0 else ("said",))
        ]


async def test_what_is_told_has_been_written(store: Store, write: Any) -> None:
    """By the time that a client hears of a change, whoever asks sees it."""
    looks: asyncio.Queue[asyncio.Task[Room | None]] = asyncio.Queue()
    room = new_room()

    def look(effects: Any) -> None:
        looks.put_nowait(asyncio.create_task(store.room(room.id)))

    store.listen(Listeners(look))
    await write(None, room, send("made"))
    async with asyncio.timeout(5):
        assert await (await looks.get()) is not None


async def race(store: Store, session: Session, room: str, rule: Any) -> Outcome | Refused:
    """Until it is done or refused, with others in between."""
    while True:
        found = await store.room(room)
        current = await store.session(session.id)
        assert found is not None and current is not None
        await asyncio.sleep(0)
        try:
            outcome: Outcome = rule(found, current)
        except Refused as refused:
            return refused
        entered = (SessionWrite(current, current.entered(room)),) if outcome.entered else ()
        gone = (SessionWrite(current, current.left(room)),) if outcome.gone else ()
        commit = Commit(
            rooms=(RoomWrite(found, outcome.room),),
            sessions=entered + gone,
            effects=outcome.effects,
        )
        try:
            await store.commit(commit)
        except Conflict:
            continue
        return outcome


def join(found: Room, session: Session) -> Outcome:
    request = requests.JoinRoom(payload=requests.JoinRoomPayload(room_id=found.id))
    return entering.join(found, session, request, NOW, None)


def leave(found: Room, session: Session) -> Outcome:
    return leaving.leave(
        found, session.id, requests.LeaveRoom(payload=requests.RoomRef(found.id)), NOW
    )


def chat(found: Room, session: Session) -> Outcome:
    return chatting.chat(found, session.id, requests.Chat(room_id=found.id, payload="x"), NOW)


async def test_forty_for_ten_places(store: Store, write: Any, told: Any) -> None:
    rooms = [await write(None, new_room(f"{n}", max_participants=PLACES)) for n in range(ROOMS)]
    sessions = [await write(None, new_session()) for _ in range(RACERS)]
    racers = [race(store, session, room.id, join) for session in sessions for room in rooms]
    results = await asyncio.gather(*racers)
    refused = [result for result in results if isinstance(result, Refused)]
    assert len(refused) == ROOMS * (RACERS - PLACES)
    assert {refusal.code for refusal in refused} <= {ErrorCode.ROOM_FULL, ErrorCode.TOO_MANY_ROOMS}
    sends = await told.sends()
    for room in rooms:
        inside = (await store.room(room.id)).members  # type: ignore[union-attr]
        assert len(inside) == PLACES
        for session in sessions:
            now = await store.session(session.id)
            assert now is not None and (room.id in now.rooms) == (session.id in inside)
        # Each who came in was told to those before it, in the order in which they came.
        joined = [
            send.message
            for send in sends
            if isinstance(send.message, replies.MemberJoined) and send.message.room_id == room.id
        ]
        assert [message.participants for message in joined] == [
            list(inside)[:count] for count in range(2, PLACES + 1)
        ]


async def test_numbers_of_chat_have_no_gap(store: Store, write: Any, told: Any) -> None:
    room = await write(None, new_room(empty_ttl=60))
    sessions = [await write(None, new_session()) for _ in range(RACERS)]
    await asyncio.gather(*(race(store, session, room.id, join) for session in sessions))

    async def talk(session: Session) -> None:
        for _ in range(5):
            await race(store, session, room.id, chat)

    await asyncio.gather(*map(talk, sessions))
    ids = [
        send.message.id
        for send in await told.sends()
        if isinstance(send.message, replies.ChatMessage)
    ]
    assert ids == list(range(1, 5 * RACERS + 1))
    kept, _ = await store.chat(room.id, None, 100)
    assert [message.id for message in kept] == ids[-len(kept) :]
    await asyncio.gather(*(race(store, session, room.id, leave) for session in sessions))
    empty = await store.room(room.id)
    assert empty is not None and (empty.members, empty.host) == ({}, None)


async def test_one_of_many_makes_the_room(store: Store) -> None:
    """By name and by id."""
    for wanted in (
        [new_room("den") for _ in range(RACERS)],
        [new_room(f"{number}", id="the same") for number in range(RACERS)],
    ):

        async def make(room: Room) -> bool:
            await asyncio.sleep(0)
            try:
                await store.commit(Commit(rooms=(RoomWrite(None, room),)))
            except Conflict:
                return False
            return True

        assert sum(await asyncio.gather(*map(make, wanted))) == 1
    assert await store.room_count() == 2
