"""Our client over lines that break: nothing lost, nothing doubled, or plainly somebody new."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

import roomcall_server
from roomcall.errors import Refused, ServerUnreachable
from roomcall.protocol import replies
from roomcall.signaling.base import Lost, MemberGone, MemberHere, Restored, Signal
from roomcall.signaling.room import RoomClient


async def hear(client: AsyncIterator[Any], kind: type, **fields: Any) -> Any:
    """The next of this kind with these fields; what comes before it is passed over."""
    async with asyncio.timeout(10):
        async for event in client:
            if isinstance(event, kind) and all(
                getattr(event, name) == value for name, value in fields.items()
            ):
                return event
    raise AssertionError(f"no {kind.__name__}")


def events_of(client: RoomClient) -> AsyncIterator[Any]:
    return aiter(client)


async def test_a_break_is_mended_and_nobody_saw_it(way: Any, enter: Any, room_server: Any) -> None:
    ann = await enter(way.url, name="ann")
    bob = await enter(room_server.url, name="bob")
    hears, bob_hears = events_of(ann), events_of(bob)
    old_id = ann.id
    way.cut()
    await hear(hears, Lost)
    await bob.chat("while you were away")
    restored = await hear(hears, Restored)
    assert (restored.resumed, restored.id, ann.id) == (True, old_id, old_id)
    assert (await hear(hears, replies.ChatMessage)).payload == "while you were away"
    await ann.chat("back")
    seen = []
    async with asyncio.timeout(10):
        async for event in bob_hears:
            seen.append(event)
            if isinstance(event, replies.ChatMessage) and event.payload == "back":
                break
    assert not [event for event in seen if isinstance(event, MemberGone)]


async def test_a_request_outlives_the_break(way: Any, enter: Any) -> None:
    ann = await enter(way.url)
    hears = events_of(ann)
    way.blocked = True
    way.cut()
    await hear(hears, Lost)
    asked = asyncio.create_task(ann.chat("said in the dark"))
    await asyncio.sleep(0)
    way.blocked = False
    assert (await asked).payload == "said in the dark"
    heard = await hear(hears, replies.ChatMessage)
    assert (heard.payload, heard.id) == ("said in the dark", 1)


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_break_at_every_point_of_an_exchange(
    way: Any, enter: Any, room_server: Any, direction: str
) -> None:
    """The line breaks after so many bytes, wherever that is: in the handshake of the resume, in
    what is sent again, in the middle of a message, between a message and its reply."""
    ann = await enter(way.url, name="ann")
    bob = await enter(room_server.url, name="bob")
    bob_hears = events_of(bob)
    said = 0
    for allowed in range(0, 900, 23):
        way.allowed[direction], before = allowed, way.connections
        way.cut()
        talk = [asyncio.create_task(ann.chat(str(said + number))) for number in range(3)]
        await way.next_connection(before)
        way.allowed[direction] = None
        async with asyncio.timeout(10):
            await asyncio.gather(*talk)
        said += 3
    heard = [await hear(bob_hears, replies.ChatMessage) for _ in range(said)]
    assert [message.payload for message in heard] == [str(number) for number in range(said)]
    assert [message.id for message in heard] == list(range(1, said + 1))
    assert {message.sender for message in heard} == {ann.id}


@pytest.mark.timeout(400)
@pytest.mark.long
async def test_a_thousand_breaks_lose_double_and_swap_nothing(way: Any, enter: Any) -> None:
    count, breaks = 100_000, 1000
    talkers = {name: await enter(way.url, name=name) for name in ("ann", "bob")}
    chance = random.Random(7)
    window = asyncio.Semaphore(100)  # not heard by both: fewer than the server keeps for one
    heard_once: set[int | None] = set()

    async def talk(client: RoomClient, name: str) -> None:
        """Four at a time, so that a break finds some on their way."""

        async def say(first: int) -> None:
            for number in range(first, count // 2, 4):
                await window.acquire()
                await client.chat(f"{name} {number}")

        await asyncio.gather(*map(say, range(4)))

    async def listen(client: RoomClient) -> list[tuple[int | None, str]]:
        heard: list[tuple[int | None, str]] = []
        async for event in client:
            if isinstance(event, replies.ChatMessage):
                heard.append((event.id, event.payload))
                if event.id in heard_once:
                    window.release()
                heard_once.add(event.id)
                if len(heard) == count:
                    break
                if chance.random() < 0.6 * breaks / count:
                    way.cut()
        return heard

    by_ann, by_bob, *_ = await asyncio.gather(
        *map(listen, talkers.values()), *(talk(client, name) for name, client in talkers.items())
    )
    assert way.connections > breaks
    assert by_ann == by_bob
    assert [id for id, _ in by_ann] == list(range(1, count + 1))
    said = {f"{name} {number}" for name in talkers for number in range(count // 2)}
    assert {text for _, text in by_ann} == said
    for talker in range(4):
        own = [int(t.split()[1]) for _, t in by_ann if t.startswith("ann")]
        mine = [number for number in own if number % 4 == talker]
        assert mine == sorted(mine)


async def test_who_was_away_too_long_is_somebody_new(enter: Any, way: Any) -> None:
    ann = await enter(way.url, name="ann", max_participants=5)
    room, old_id = ann.room.id, ann.id
    hears = events_of(ann)
    way.blocked = True
    way.cut()
    await hear(hears, Lost)
    # What was said meanwhile is more than a client keeps.
    for number in range(1100):
        await ann.send("somebody", {"type": "hangup", "payload": {"number": number}})
    way.blocked = False
    restored = await hear(hears, Restored)
    assert restored.resumed is False
    assert (restored.id, ann.id != old_id) == (ann.id, True)
    assert (ann.room.id, ann.room.max_participants) == (room, 5)
    await ann.chat("here")


async def test_a_server_that_has_forgotten_everything(enter: Any) -> None:
    """It comes back at the same address: who was in a room is in it again, by its id."""
    async with roomcall_server.serve() as server:
        port, url = server.port, server.url
        ann = await enter(url, name="ann", max_participants=7, password="sesame")
        bob = await enter(url, name="bob", password="sesame")
        room = ann.room.id
        ann_hears, bob_hears = events_of(ann), events_of(bob)
    await hear(ann_hears, Lost)
    async with roomcall_server.serve(port=port):
        for client, hears in ((ann, ann_hears), (bob, bob_hears)):
            restored = await hear(hears, Restored)
            assert restored.resumed is False
            assert (client.room.id, client.room.max_participants) == (room, 7)
            assert client.room.has_password
        here = await hear(bob_hears, MemberHere)
        assert (here.id, here.name, here.before) == (ann.id, "ann", True)
        assert (await hear(ann_hears, MemberHere)).id == bob.id
        await ann.send(bob.id, {"type": "hangup"})
        assert await hear(bob_hears, Signal) == Signal(ann.id, {"type": "hangup"})
        await ann.close()
        await bob.close()


async def test_a_server_that_stays_away_is_an_error(enter: Any, way: Any) -> None:
    ann = await enter(way.url, patience=0.3)
    hears = events_of(ann)
    way.blocked = True
    way.cut()
    await hear(hears, Lost)
    asked = asyncio.create_task(ann.chat("anybody?"))
    with pytest.raises(ServerUnreachable, match="cannot be reached"):
        await hear(hears, Restored)
    with pytest.raises(ServerUnreachable, match="cannot be reached"):
        await asked
    with pytest.raises(ServerUnreachable):
        await ann.chat("anybody?")


async def test_without_patience_a_break_is_the_end(enter: Any, way: Any) -> None:
    ann = await enter(way.url, patience=0)
    way.cut()
    with pytest.raises(ServerUnreachable, match="closed the connection"):
        await hear(events_of(ann), Lost)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (4001, "unauthorized"),
        (4008, "too-slow"),
        (4009, "taken-over"),
        (4013, "server-full"),
        (4029, "rate-limited"),
    ],
)
async def test_who_is_refused_does_not_come_back(
    enter: Any, way: Any, room_server: Any, code: int, name: str
) -> None:
    ann = await enter(way.url)
    (client,) = room_server.service.context.clients
    client.connection.close(code)
    with pytest.raises(Refused) as refused:
        await hear(events_of(ann), Lost)
    assert refused.value.code == name
    assert way.connections == 1
