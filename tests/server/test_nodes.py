"""Several servers with one set of rooms: one room for all, and nodes that go."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.server.test_handover import at
from tests.server.test_resume import steady_in


async def test_one_room_on_two_nodes(start: Any, connect_to: Any) -> None:
    nodes = await start()
    ann, ben = [await connect_to(url) for url in nodes.url]
    room = await ann.create("den")
    joined = await ben.ask("join-room", {"name": "den"})
    assert joined["room"]["participants"] == [ann.id, ben.id]
    assert (await ann.hear("member-joined"))["memberId"] == ben.id
    await ann.say("offer", {"sdp": "…"}, roomId=room, to=ben.id)
    assert (await ben.hear("offer"))["from"] == ann.id
    await ben.say("answer", {"sdp": "…"}, roomId=room, to=ann.id)
    assert (await ann.hear("answer"))["from"] == ben.id
    assert (await ann.hear("room-state"))["state"] == "IN_CALL"
    assert (await ben.hear("room-state"))["state"] == "IN_CALL"
    assert (await ann.ask("chat", "one", roomId=room))["id"] == 1
    assert (await ben.ask("chat", "two", roomId=room))["id"] == 1  # the first comes first here, too
    assert (await ben.hear("chat"))["id"] == 2
    await ann.hear("chat")
    await ann.ask("leave-room", {"roomId": room})
    assert [m["type"] for m in await ben.backlog()] == ["member-left", "host-changed", "room-state"]


async def test_what_a_dead_node_had_is_taken_up_by_another(start: Any, connect_to: Any) -> None:
    nodes = await start(resume_grace=0.5)
    ann = await connect_to(nodes.url[1])
    room = await ann.create()
    back, gone = [await steady_in(connect_to, nodes.url[0], room) for _ in range(2)]
    ids = back.id, gone.id
    assert [message["memberId"] for message in await ann.backlog()] == list(ids)
    nodes.cluster.kill(nodes.store[0], nodes.store[1])
    await at(back, nodes.url[1]).resume()
    assert (back.id, back.wire.hello["resumed"], back.wire.hello["gap"]) == (ids[0], True, True)
    left = await ann.hear("member-left")
    assert (left["memberId"], left["reason"]) == (ids[1], "disconnected")
    assert (await back.hear("member-left"))["memberId"] == ids[1]
    await at(gone, nodes.url[1]).resume()
    assert gone.wire.hello["resumed"] is False
    assert await ann.types() == []
    await nodes.ended(ids[1])


async def test_a_node_that_begins_anew_sends_its_clients_away(start: Any, connect_to: Any) -> None:
    nodes = await start()
    ann = await connect_to(nodes.url[1])
    room = await ann.create()
    ben, cem = [await steady_in(connect_to, nodes.url[0], room) for _ in range(2)]
    ids = ben.id, cem.id
    assert [message["memberId"] for message in await ann.backlog()] == list(ids)
    nodes.store[0].listeners.lost()
    for old, url in ((ben, nodes.url[0]), (cem, nodes.url[1])):
        assert await old.wire.closed() == 1001
        await at(old, url).resume()
        assert (old.wire.hello["resumed"], old.wire.hello["gap"]) == (True, True)
    assert (ben.id, cem.id) == ids
    await ann.ask("chat", "after", roomId=room)
    for client in (ben, cem):
        assert (await client.hear("chat"))["payload"] == "after"
    assert await ann.types() == []


async def test_what_is_due_happens_once(start: Any, connect_to: Any) -> None:
    await due_once((await start()).url, connect_to)


async def due_once(urls: list[str], connect_to: Any) -> None:
    """A room that closes, and one that opens, with somebody of each node."""
    ann, ben = [await connect_to(url) for url in urls]
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    room = await ann.create(closesAt=soon)
    await ben.join(room)
    await ann.hear("member-joined")
    opens = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    later = await ann.create("later", opensAt=opens)
    for wire in (ann, ben):
        wait = {"roomId": later, "waitIfFull": True}
        assert (await wire.ask("join-room", wait))["type"] == "queued"
    heard = []
    for wire in (ann, ben):
        while {"room-closed", "room-joined"} - {m["type"] for m in heard if m["to"] is wire}:
            heard.append({**await wire.hear(), "to": wire})
        heard += [{**message, "to": wire} for message in await wire.backlog()]
    for wire in (ann, ben):
        told = [message["type"] for message in heard if message["to"] is wire]
        assert told.count("room-closed") == told.count("room-joined") == 1


async def test_racers_on_both_nodes(start: Any, connect_to: Any) -> None:
    nodes = await start()
    wires = [await connect_to(url) for url in nodes.url * 10]
    room = await (await connect_to(nodes.url[0])).create(maxParticipants=3)
    for wire in wires:
        await wire.say("join-room", {"roomId": room})
    answers = [await wire.hear() for wire in wires]
    assert sorted(answer["type"] for answer in answers) == ["error"] * 18 + ["room-joined"] * 2


async def test_a_node_that_drains_is_left_without_a_leave(start: Any, connect_to: Any) -> None:
    nodes = await start()
    ann = await connect_to(nodes.url[1])
    room = await ann.create()
    ben = await steady_in(connect_to, nodes.url[0], room)
    id = ben.id
    await ann.hear("member-joined")
    draining = asyncio.create_task(nodes.servers[0].service.drain())
    assert await ben.wire.closed() == 1001
    await ann.ask("chat", "meanwhile", roomId=room)
    assert not draining.done()
    await at(ben, nodes.url[1]).resume()
    assert (ben.id, ben.wire.hello["resumed"], "gap" in ben.wire.hello) == (id, True, False)
    assert (await ben.hear("chat"))["payload"] == "meanwhile"
    async with asyncio.timeout(10):
        await draining
    assert await ann.types() == []
