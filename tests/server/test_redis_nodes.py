"""Several servers on one Redis: what the cluster of `cluster.py` shows, with the engine itself, and
what happens when it, or one of them, dies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest

from tests.server.test_handover import at
from tests.server.test_nodes import due_once
from tests.server.test_resume import steady_in

pytestmark = pytest.mark.system("redis-server")

Start = Callable[..., Any]


@pytest.fixture
async def start(
    serve: Callable[..., AbstractAsyncContextManager[Any]], redis_url: str
) -> AsyncIterator[Start]:
    """`await start(2)`: so many servers in this process, on one Redis."""
    async with AsyncExitStack() as stack:

        async def start(count: int = 2, url: str = redis_url, **config: Any) -> list[Any]:
            config = {"rate_messages": 0, "drain_seconds": 0, "resume_grace": 5, **config}
            return [
                await stack.enter_async_context(serve(store=url, **config)) for _ in range(count)
            ]

        yield start


async def test_resume_on_another_node(start: Start, connect_to: Any) -> None:
    first, second = await start()
    other = await connect_to(second.url)
    room = await other.create("den")
    client = await steady_in(connect_to, first.url, room)
    await other.hear("member-joined")
    id, old = client.id, client.wire
    for number in range(5):
        await other.ask("chat", str(number), roomId=room)
        await other.say("ice-candidate", {"number": number}, roomId=room, to=id)
    await at(client, second.url).resume()
    assert (client.id, client.wire.hello["resumed"], client.wire.hello["received"]) == (id, True, 1)
    assert "gap" not in client.wire.hello
    assert await old.closed() == 4009
    for number in range(5):
        assert (await client.hear("chat"))["payload"] == str(number)
        assert (await client.hear("ice-candidate"))["payload"] == {"number": number}
    await at(client, first.url).resume()
    assert client.wire.hello["resumed"] is True
    assert await other.types() == []
    for server in (first, second):
        assert server.service.figures.resumes == {"moved": 1}


async def test_two_that_join_by_name_at_once_are_in_one_room(start: Start, connect_to: Any) -> None:
    servers = await start()
    wires = [await connect_to(server.url) for server in servers for _ in range(3)]
    for number in range(5):
        for wire in wires:
            await wire.say("join-room", {"name": f"room {number}", "create": True})
        ids = set()
        for wire in wires:
            heard = await wire.hear()
            while heard["type"] != "room-joined":
                heard = await wire.hear()
            ids.add(heard["room"]["id"])
        assert len(ids) == 1


async def race(servers: list[Any], connect_to: Any, rounds: int) -> None:
    """20 from both nodes want one of 2 places."""
    host = await connect_to(servers[0].url)
    wires = [await connect_to(server.url) for server in servers for _ in range(10)]
    for number in range(rounds):
        room = await host.create(f"race {number}", maxParticipants=3)
        for wire in wires:
            await wire.say("join-room", {"roomId": room})
        won = []
        for wire in wires:
            heard = await wire.hear()
            while heard["type"] not in ("room-joined", "error"):
                heard = await wire.hear()
            if heard["type"] == "room-joined":
                won.append(wire)
            else:
                assert heard["code"] == "room-full"
        assert len(won) == 2
        seen = (await host.backlog())[-1]
        assert seen["type"] == "member-joined"
        assert set(seen["participants"]) == {host.id, *(wire.id for wire in won)}
        await host.ask("close-room", {"roomId": room})


async def test_racers(start: Start, connect_to: Any) -> None:
    await race(await start(), connect_to, 3)


@pytest.mark.long
async def test_a_hundred_races(start: Start, connect_to: Any) -> None:
    await race(await start(), connect_to, 100)


async def test_what_is_due_happens_once(start: Start, connect_to: Any) -> None:
    await due_once([server.url for server in await start()], connect_to)


async def test_all_see_one_order(start: Start, connect_to: Any) -> None:
    servers = await start()
    wires = [await connect_to(server.url) for server in servers for _ in range(2)]
    room = await wires[0].create()
    for wire in wires[1:]:
        await wire.join(room)
    for wire in wires:
        await wire.backlog()
    for number in range(30):
        for wire in wires:
            await wire.say("chat", f"{number}", roomId=room)
            await wire.say("set-media-state", {"roomId": room, "audioMuted": number % 2 == 0})
    told = []
    for wire in wires:
        seen = []
        while len(seen) < 2 * 30 * len(wires):
            message = await wire.hear()
            about = message.get("from") or message["member"]["id"]
            seen.append((message["type"], about, message.get("id"), message.get("payload")))
        told.append(seen)
    assert all(seen == told[0] for seen in told)
    assert [id for type, _, id, _ in told[0] if type == "chat"] == list(range(1, 30 * 4 + 1))


async def test_a_dead_node_is_buried_and_what_it_had_is_adopted(
    start: Start, connect_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomcall_server.store.redis.life.LEASE", 3.0)
    monkeypatch.setattr("roomcall_server.store.redis.life.BEAT", 0.2)
    first, second = await start(resume_grace=1)
    ann = await connect_to(second.url)
    room = await ann.create()
    back, gone = [await steady_in(connect_to, first.url, room) for _ in range(2)]
    ids = back.id, gone.id
    assert [message["memberId"] for message in await ann.backlog()] == list(ids)
    await kill(first)
    await at(back, second.url).resume()
    assert (back.id, back.wire.hello["resumed"], back.wire.hello["gap"]) == (ids[0], True, True)
    await ann.ask("chat", "after", roomId=room)
    assert (await back.hear("chat"))["payload"] == "after"
    async with asyncio.timeout(20):
        left = await ann.hear("member-left")
    assert (left["memberId"], left["reason"]) == (ids[1], "disconnected")
    await at(gone, second.url).resume()
    assert gone.wire.hello["resumed"] is False
    assert await ann.types() == []


async def kill(server: Any) -> None:
    """What a kill comes to for the others: it says and hears nothing more."""
    life = server.service.context.store._life
    life._task.cancel()
    await asyncio.gather(life._task, return_exceptions=True)
    life.present.clear()
    life.link = None
