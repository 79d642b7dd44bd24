"""The scenarios of the concept, at the level of signals."""

from typing import Any

OFFER = {"type": "offer", "sdp": "v=0 offer"}
ANSWER = {"type": "answer", "sdp": "v=0 answer"}


async def call(a: Any, b: Any, room: str) -> None:
    """a offers, b answers; both have heard the other's signal, and nothing else is left."""
    await a.say("offer", OFFER, roomId=room, to=b.id)
    heard = await b.hear("offer")
    assert heard == {"type": "offer", "roomId": room, "from": a.id, "payload": OFFER}
    await b.say("answer", ANSWER, roomId=room, to=a.id)
    heard = await a.hear("answer")
    assert heard == {"type": "answer", "roomId": room, "from": b.id, "payload": ANSWER}


async def test_two_in_a_room(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create("Team Meeting", displayName="ann")
    joined = await b.join(room, displayName="ben")
    assert joined["participants"] == [a.id, b.id]
    assert joined["host"] == a.id
    assert joined["state"] == "ACTIVE"
    arrival = await a.hear("member-joined")
    assert arrival["memberId"] == b.id
    assert arrival["participants"] == [a.id, b.id]
    assert arrival["member"]["displayName"] == "ben"
    await call(a, b, room)
    for wire in (a, b):
        state = await wire.hear("room-state")
        assert state == {"type": "room-state", "roomId": room, "state": "IN_CALL"}
    candidate = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0"}
    await b.say("ice-candidate", candidate, roomId=room, to=a.id)
    assert (await a.hear("ice-candidate"))["payload"] == candidate
    await a.say("hangup", roomId=room, to=b.id)
    assert await b.hear("hangup") == {"type": "hangup", "roomId": room, "from": a.id}
    for wire in (a, b):
        assert (await wire.hear("room-state"))["state"] == "ACTIVE"
        assert await wire.backlog() == []


async def test_three_in_a_room_a_calls_b_and_c(connect: Any) -> None:
    a, b, c = await connect(), await connect(), await connect()
    room = await a.create()
    await b.join(room)
    await c.join(room)
    assert await a.types() == ["member-joined", "member-joined"]
    assert await b.types() == ["member-joined"]
    await call(a, b, room)
    assert [await wire.types() for wire in (a, b, c)] == [["room-state"]] * 3
    await call(a, c, room)
    await a.say("hangup", {"reason": "failed"}, roomId=room, to=b.id)
    assert (await b.hear("hangup"))["payload"] == {"reason": "failed"}
    # A and C still have theirs, so the state is what it was, and nobody is told of it.
    assert [await wire.types() for wire in (a, b, c)] == [[], [], []]
    await c.say("hangup", roomId=room, to=a.id)
    assert await a.types() == ["hangup", "room-state"]
    assert [await wire.types() for wire in (b, c)] == [["room-state"]] * 2


async def test_two_rooms_no_call_across(connect: Any) -> None:
    a, b = await connect(), await connect()
    first, second = await a.create("first"), await b.create("second")
    assert await a.refused("offer", OFFER, roomId=first, to=b.id) == "peer-not-found"
    assert await a.refused("offer", OFFER, roomId=second, to=b.id) == "not-in-room"
    assert await a.refused("chat", "hello", roomId=second) == "not-in-room"
    await a.say("chat", "hello", roomId=first)
    assert await a.types() == ["chat"]
    assert await b.types() == []


async def test_join_and_leave(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create()
    await b.join(room)
    await a.hear("member-joined")
    left = await a.ask("leave-room", {"roomId": room}, requestId=7)
    assert left == {"type": "room-left", "requestId": 7, "roomId": room}
    assert await b.hear() == {
        "type": "member-left",
        "roomId": room,
        "memberId": a.id,
        "participants": [b.id],
        "reason": "left",
    }
    assert await b.hear() == {"type": "host-changed", "roomId": room, "host": b.id}
    info = (await b.ask("get-room", {"roomId": room}))["room"]
    assert info["participants"] == [b.id]
    assert info["host"] == b.id
    assert info["state"] == "ACTIVE"
    assert await a.types() == []


async def test_last_leaves_room_is_gone(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create("soon gone")
    await b.join(room)
    assert await a.types() == ["member-joined"]
    await a.ask("leave-room", {"roomId": room})
    await b.ask("leave-room", {"roomId": room})
    assert (await a.ask("list-rooms"))["rooms"] == []
    assert await a.refused("get-room", {"roomId": room}) == "room-not-found"
    assert await a.refused("join-room", {"name": "soon gone"}) == "room-not-found"


async def test_errors_no_room_no_member_full_room(connect: Any) -> None:
    a, b, c = await connect(), await connect(), await connect()
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert await a.refused("join-room", {"roomId": nowhere}) == "room-not-found"
    assert await a.refused("leave-room", {"roomId": nowhere}) == "room-not-found"
    room = await a.create(maxParticipants=2)
    error = await a.ask("offer", OFFER, roomId=room, to=nowhere, requestId="x")
    assert error.pop("message")
    assert error == {
        "type": "error",
        "code": "peer-not-found",
        "request": "offer",
        "requestId": "x",
        "roomId": room,
        "to": nowhere,
    }
    await b.join(room)
    assert await c.refused("join-room", {"roomId": room}) == "room-full"
    assert await b.refused("join-room", {"roomId": room}) == "already-in-room"
