"""The protocol on a real socket, message by message."""

import asyncio
import base64
import hmac
import time
from typing import Any
from uuid import UUID

from roomcall.protocol.errors import MAX_CHAT

NOWHERE = "00000000-0000-4000-8000-000000000000"


async def test_client_id_comes_first(connect: Any) -> None:
    wire = await connect()
    hello = wire.hello
    assert UUID(wire.id).version == 4
    assert str(UUID(wire.id)) == wire.id
    assert hello["protocol"] == 1
    assert hello["resumed"] is False
    assert hello["resumeToken"]
    assert hello["iceServers"] == []
    assert hello["limits"] == {"maxMessageBytes": 65536, "maxRoomsPerClient": 8}
    assert "rooms" in hello["features"]


async def test_a_room_as_its_maker_sees_it(connect: Any) -> None:
    a = await connect()
    made = await a.ask(
        "create-room",
        {
            "name": "Team Meeting",
            "maxParticipants": 10,
            "displayName": "ann",
            "metadata": {"description": "weekly", "other": 1},
        },
        requestId=1,
    )
    room = made["room"]
    assert made["requestId"] == 1
    assert room["createdAt"].endswith("Z")
    assert room.pop("members") == [
        {
            "id": a.id,
            "displayName": "ann",
            "role": "host",
            "joinedAt": room["createdAt"],
            "audioMuted": False,
            "videoMuted": False,
            "recording": False,
        }
    ]
    assert room == {
        "id": str(UUID(room["id"])),
        "name": "Team Meeting",
        "createdAt": room["createdAt"],
        "host": a.id,
        "maxParticipants": 10,
        "participants": [a.id],
        "metadata": {"description": "weekly", "private": False},
        "state": "ACTIVE",
        "hasPassword": False,
        "locked": False,
        "queueLength": 0,
        "opensAt": None,
        "closesAt": None,
    }


async def test_get_room_shows_members_to_members_only(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create(metadata={"private": True})
    inside = (await a.ask("get-room", {"roomId": room}))["room"]
    assert (inside["host"], inside["participants"]) == (a.id, [a.id])
    outside = (await b.ask("get-room", {"roomId": room}))["room"]
    assert (outside["host"], outside["participants"], outside["members"]) == (None, [], [])
    assert outside["state"] == "ACTIVE"


async def test_join_by_name_creates_once(connect: Any) -> None:
    wires = [await connect() for _ in range(5)]
    wanted = {"name": "standup", "create": True}
    await asyncio.gather(*(wire.say("join-room", wanted) for wire in wires))
    rooms = set()
    for wire in wires:
        joined = await wire.hear("room-joined")
        rooms.add(joined["room"]["id"])
    assert len(rooms) == 1
    await wires[0].backlog()
    assert await wires[0].refused("create-room", {"name": "standup"}) == "name-taken"
    private = {"name": "standup", "metadata": {"private": True}}
    assert (await wires[0].ask("create-room", private))["type"] == "room-created"


async def test_join_by_id_creates_a_room_of_that_id(connect: Any) -> None:
    a, b = await connect(), await connect()
    id = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
    made = await a.ask("join-room", {"roomId": id, "name": "x", "create": True})
    assert made["type"] == "room-joined"
    assert made["room"]["id"] == id
    assert (await b.join(id))["participants"] == [a.id, b.id]
    wrong = {"roomId": id.upper(), "name": "y", "create": True}
    assert await b.refused("join-room", wrong) == "bad-request"
    assert await b.refused("join-room", {"roomId": NOWHERE, "create": True}) == "bad-request"
    taken = {"roomId": NOWHERE, "name": "x", "create": True}
    assert await b.refused("join-room", taken) == "name-taken"


async def test_private_rooms_are_never_listed_nor_found_by_name(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create("secret", metadata={"private": True})
    assert (await b.ask("list-rooms"))["rooms"] == []
    assert await b.refused("join-room", {"name": "secret"}) == "room-not-found"
    assert (await b.join(room))["id"] == room


async def test_list_rooms_in_pages(connect: Any) -> None:
    a, b = await connect(), await connect()
    names = [f"Room {n}" for n in range(5)]
    for wire, name in zip([a, a, a, b, b], names, strict=True):
        await wire.create(name, metadata={"description": name.upper()})
    found: list[str] = []
    after = None
    for size in (2, 2, 1):
        page = await a.ask("list-rooms", {"limit": 2, "after": after})
        assert len(page["rooms"]) == size
        found += [row["name"] for row in page["rooms"]]
        after = page["next"]
    assert after is None
    assert found == names
    (row,) = (await a.ask("list-rooms", {"query": "room 3"}))["rooms"]
    created = row.pop("createdAt")
    assert created.endswith("Z")
    assert UUID(row.pop("id"))
    assert row == {
        "name": "Room 3",
        "participantCount": 1,
        "maxParticipants": 0,
        "hasPassword": False,
        "locked": False,
        "state": "ACTIVE",
        "description": "ROOM 3",
    }
    assert await a.refused("list-rooms", {"after": "zork"}) == "bad-request"
    assert await a.refused("list-rooms", {"limit": 0}) == "bad-request"


async def test_chat_ids_rise_by_one_and_the_reply_is_the_senders_copy(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create()
    await b.join(room)
    await a.hear("member-joined")
    for number, wire in enumerate([a, b, a, a, b], start=1):
        said = await wire.ask("chat", f"text {number}", roomId=room, requestId=number)
        assert said.pop("sentAt").endswith("Z")
        assert said == {
            "type": "chat",
            "requestId": number,
            "roomId": room,
            "from": wire.id,
            "payload": f"text {number}",
            "id": number,
        }
        heard = await (b if wire is a else a).hear("chat")
        assert "requestId" not in heard
        assert heard["id"] == number
    assert await a.refused("chat", "x" * (MAX_CHAT + 1), roomId=room) == "payload-too-large"
    longest = "\N{GRINNING FACE}" * MAX_CHAT
    assert (await a.ask("chat", longest, roomId=room))["payload"] == longest


async def test_a_disconnect_is_a_leave(connect: Any) -> None:
    a, b, c = await connect(), await connect(), await connect()
    room = await a.create()
    await b.join(room)
    await c.join(room)
    await b.say("offer", {}, roomId=room, to=a.id)
    await b.backlog()
    await a.say("answer", {}, roomId=room, to=b.id)
    await a.backlog()
    await c.backlog()
    assert await b.types() == ["answer", "room-state"]
    await a.socket.close()
    for wire in (b, c):
        left = await wire.hear("member-left")
        assert (left["memberId"], left["reason"]) == (a.id, "disconnected")
        assert left["participants"] == [b.id, c.id]
        assert (await wire.hear("host-changed"))["host"] == b.id
        assert (await wire.hear("room-state"))["state"] == "ACTIVE"


async def test_an_answer_needs_an_offer_and_a_hangup_forgets_it(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create()
    await b.join(room)
    await a.hear("member-joined")

    async def signal(sender: Any, type: str) -> list[str]:
        other = b if sender is a else a
        await sender.say(type, {}, roomId=room, to=other.id)
        states = await sender.types()
        assert await other.types() == [type, *states]
        return states

    assert await signal(a, "answer") == []
    assert await signal(a, "offer") == []
    assert await signal(a, "answer") == []  # of one's own offer is none
    assert await signal(a, "hangup") == []
    assert await signal(b, "answer") == []  # the offer was before the hangup
    assert await signal(b, "offer") == []
    assert await signal(a, "answer") == ["room-state"]
    assert await signal(a, "answer") == []
    assert await signal(b, "renegotiate") == []
    assert await signal(b, "hangup") == ["room-state"]
    assert await signal(b, "hangup") == []


async def test_a_client_is_in_so_many_rooms_at_most(connect_to: Any, serve: Any) -> None:
    async with serve(max_rooms_per_client=2) as server:
        a, b = await connect_to(server.url), await connect_to(server.url)
        first = await a.create("1")
        await a.create("2")
        third = await b.create("3")
        assert await a.refused("create-room", {"name": "4"}) == "too-many-rooms"
        assert await a.refused("join-room", {"roomId": third}) == "too-many-rooms"
        assert await a.refused("join-room", {"roomId": first}) == "already-in-room"
        await a.ask("leave-room", {"roomId": first})
        await a.join(third)


async def test_the_server_holds_so_many_rooms_at_most(connect_to: Any, serve: Any) -> None:
    async with serve(max_rooms=1) as server:
        a = await connect_to(server.url)
        room = await a.create("1")
        assert await a.refused("create-room", {"name": "2"}) == "too-many-rooms"
        await a.ask("leave-room", {"roomId": room})
        await a.create("2")


async def test_ice_servers_hold_for_a_while_and_for_one_client(connect_to: Any, serve: Any) -> None:
    async with serve(
        stun_urls=["stun:stun.example.org"],
        turn_urls=["turn:turn.example.org?transport=udp"],
        turn_secret="north",
        turn_ttl=60,
    ) as server:
        a = await connect_to(server.url)
        stun, turn = a.hello["iceServers"]
        assert stun == {"urls": ["stun:stun.example.org"]}
        assert turn["urls"] == ["turn:turn.example.org?transport=udp"]
        expiry, client = turn["username"].split(":")
        assert client == a.id
        assert 0 < int(expiry) - time.time() <= 60
        mac = hmac.digest(b"north", turn["username"].encode(), "sha1")
        assert turn["credential"] == base64.b64encode(mac).decode()  # coturn's `use-auth-secret`
        renewed = await a.ask("get-ice-servers", requestId=1)
        assert (renewed["type"], renewed["ttl"], renewed["requestId"]) == ("ice-servers", 60, 1)
        assert [list(server) for server in renewed["iceServers"]] == [list(stun), list(turn)]
