"""Clients that go from one node to another: whatever the order in which the nodes hear of it,
nothing is lost and nothing doubled; and where it cannot be known, the client is told."""

import asyncio
import random
from typing import Any

import pytest

from tests.server.cluster import NodeStore
from tests.server.test_resume import Steady, steady_in


def at(client: Steady, url: str) -> Steady:
    """It resumes there next time."""
    client.url = url
    return client


async def test_who_resumes_elsewhere_has_missed_nothing_and_nobody_saw_a_leave(
    start: Any, connect_to: Any
) -> None:
    nodes = await start()
    other = await connect_to(nodes.url[0])
    room = await other.create()
    client = await steady_in(connect_to, nodes.url[0], room)
    await other.hear("member-joined")
    id, token, old = client.id, client.wire.hello["resumeToken"], client.wire
    await client.wire.say("chat", "mine", roomId=room)
    await client.hear("chat")
    await other.hear("chat")
    for number in range(5):
        await other.ask("chat", str(number), roomId=room)
    await at(client, nodes.url[1]).resume()
    hello = client.wire.hello
    assert (hello["id"], hello["resumed"], hello["resumeToken"]) == (id, True, token)
    assert "gap" not in hello and hello["received"] == 2
    assert await old.closed() == 4009
    assert [(await client.hear("chat"))["payload"] for _ in range(5)] == list("01234")
    await other.ask("chat", "after", roomId=room)
    assert (await client.hear("chat"))["payload"] == "after"
    await other.say("ice-candidate", {"candidate": ""}, roomId=room, to=id)
    await client.hear("ice-candidate")
    assert await other.types() == []
    # And back.
    await at(client, nodes.url[0]).resume()
    assert (client.wire.hello["resumed"], client.wire.hello["received"]) == (True, 2)
    await client.wire.socket.close()
    assert (await other.hear("member-left"))["reason"] == "disconnected"
    await nodes.ended(id)


@pytest.mark.parametrize(("seed", "count"), [(1, 2), (2, 2), (3, 2), (4, 3), (5, 3), (6, 3)])
async def test_nothing_is_lost_doubled_or_misordered_whoever_is_late(
    start: Any, connect_to: Any, seed: int, count: int
) -> None:
    """It goes round while somebody on each node speaks to it, and nodes hear of things late."""
    chance = random.Random(seed)
    nodes = await start(count)
    senders = [await connect_to(url) for url in nodes.url]
    room = await senders[0].create()
    for sender in senders[1:]:
        await sender.join(room)
    client = await steady_in(connect_to, nodes.url[0], room)
    here = 0
    heard: list[tuple[str, int]] = []

    async def listen() -> None:
        while True:
            message = await client.hear()
            if message["type"] == "chat":
                heard.append(("chat", message["id"]))
            elif message["type"] == "ice-candidate":
                heard.append((message["from"], message["payload"]["number"]))

    async def speak(sender: Any) -> None:
        for number in range(1, 41):
            await sender.say("ice-candidate", {"number": number}, roomId=room, to=client.id)
            await sender.say("chat", f"{number}", roomId=room)
            await asyncio.sleep(chance.random() * 0.005)

    async def dawdle(store: NodeStore) -> None:
        while True:
            store.hold(True)
            await asyncio.sleep(chance.random() * 0.02)
            store.hold(False)
            await asyncio.sleep(chance.random() * 0.02)

    speaking = [asyncio.create_task(speak(sender)) for sender in senders]
    dawdling = [asyncio.create_task(dawdle(store)) for store in nodes.store]
    while not all(task.done() for task in speaking):
        listening = asyncio.create_task(listen())
        await asyncio.sleep(chance.random() * 0.03)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        client.wire.cut()
        here = (here + 1) % count
        await at(client, nodes.url[here]).resume()
        assert client.wire.hello["resumed"] is True and "gap" not in client.wire.hello
    for task in dawdling:
        task.cancel()
    await asyncio.gather(*speaking, *dawdling, return_exceptions=True)
    for store in nodes.store:
        store.hold(False)
    async with asyncio.timeout(10):
        listening = asyncio.create_task(listen())
        while len(heard) < 80 * count:  # noqa: ASYNC110 - no message says so
            await asyncio.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    for sender in senders:
        assert [number for who, number in heard if who == sender.id] == list(range(1, 41))
    assert [number for who, number in heard if who == "chat"] == list(range(1, 40 * count + 1))


async def test_who_resumes_while_its_node_is_silent_is_told_of_a_gap(
    start: Any, connect_to: Any
) -> None:
    nodes = await start()
    other = await connect_to(nodes.url[1])
    room = await other.create()
    client = await steady_in(connect_to, nodes.url[0], room)
    await other.hear("member-joined")
    id, old = client.id, client.wire
    nodes.store[0].hold(True)
    await at(client, nodes.url[1]).resume()
    hello = client.wire.hello
    assert (hello["id"], hello["resumed"], hello["gap"]) == (id, True, True)
    assert await client.wire.types() == []
    await other.ask("chat", "after", roomId=room)
    assert (await client.hear("chat"))["payload"] == "after"
    nodes.store[0].hold(False)  # it lives after all, and sees that the client has gone
    assert await old.closed() == 4009
    assert await other.types() == []
    await client.wire.socket.close()
    await other.hear("member-left")


async def test_who_has_ended_there_is_new_here(start: Any, connect_to: Any) -> None:
    """It comes before the other node has done all that the end of an id takes."""
    nodes = await start()
    ann = await connect_to(nodes.url[1])
    rooms = [await ann.create(str(number)) for number in range(3)]
    client = await steady_in(connect_to, nodes.url[0], rooms[0])
    for room in rooms[1:]:
        await client.wire.join(room)
    id = client.id
    assert [message["memberId"] for message in await ann.backlog()] == [id] * 3
    nodes.store[0].hold(True)
    closing = asyncio.create_task(client.wire.socket.close())
    left = await ann.hear("member-left")  # out of one: the next has to wait until that is applied
    resuming = asyncio.create_task(at(client, nodes.url[1]).resume())
    async with asyncio.timeout(10):
        while (await nodes.store[1].session(id)).node != nodes.store[1].node:  # noqa: ASYNC110
            await asyncio.sleep(0)
    nodes.store[0].hold(False)
    await asyncio.gather(resuming, closing)
    assert client.wire.hello["resumed"] is False
    lefts = [left, await ann.hear("member-left"), await ann.hear("member-left")]
    assert sorted(left["roomId"] for left in lefts) == sorted(rooms)
    await nodes.ended(id)
    assert await ann.types() == []


async def test_a_third_node_that_hears_late_of_a_move(start: Any, connect_to: Any) -> None:
    """What its clients say to the one that has moved comes in order, though it takes two ways."""
    nodes = await start(3)
    old, new, third = nodes.store
    sender = await connect_to(nodes.url[2])
    room = await sender.create()
    client = await steady_in(connect_to, nodes.url[0], room)
    await sender.hear("member-joined")
    third.hold(True)
    resuming = asyncio.create_task(at(client, nodes.url[1]).resume())
    async with asyncio.timeout(10):
        while (await old.session(client.id)).node != new.node:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await asyncio.wait([resuming], timeout=0.1)  # nor may it be done by then
    old.hold(True)
    for number, late in ((1, True), (2, False)):
        third.hold(late)
        await asyncio.sleep(0)
        await sender.say("ice-candidate", {"number": number}, roomId=room, to=client.id)
        assert await sender.types() == []
    old.hold(False)
    await resuming
    assert [(await client.hear())["payload"]["number"] for _ in range(2)] == [1, 2]


async def test_direct_clients_see_those_of_their_node(start: Any, connect_to: Any) -> None:
    nodes = await start(direct_mode=True)
    ann, ben = [await connect_to(url, "?mode=direct") for url in nodes.url]
    for wire in (ann, ben):
        assert (await wire.hear("client-list"))["clients"] == []
    query = f"?mode=direct&received=1&resume={ann.hello['resumeToken']}"
    again = await connect_to(nodes.url[1], query)
    assert (again.id, again.hello["resumed"]) == (ann.id, True)
    assert (await again.hear("client-list"))["clients"] == [ben.id]
    assert (await ben.hear("client-list"))["clients"] == [ann.id]
