"""The queue for a place: rules, and what is heard on real sockets."""

from datetime import UTC, datetime
from typing import Any

from roomcall_server.rooms.outcome import Send
from roomcall_server.rooms.room import Member, Room
from roomcall_server.rooms.rules import leaving, presence

NOW = datetime(2026, 1, 22, tzinfo=UTC)
WAIT = {"waitIfFull": True}


def member(id: str, *, away: bool = False) -> Member:
    return Member(id=id, display_name=id, joined_at=NOW, away=away)


def full_room(*queue: Member, places: int = 1) -> Room:
    room = Room(id="room", name="x", created_at=NOW, max_participants=places, queue=queue)
    for number in range(places):
        room = room.with_member(member(f"in{number}"), host="in0")
    return room


def told(effects: Any) -> list[tuple[tuple[str, ...], str]]:
    return [
        (effect.to, effect.message.__struct_config__.tag)
        for effect in effects
        if isinstance(effect, Send)
    ]


def test_the_place_of_the_last_goes_to_who_waits_before_the_room_is_empty() -> None:
    outcome = leaving.disconnect(full_room(member("a"), member("b")), "in0", NOW)
    assert outcome.room is not None
    assert (list(outcome.room.members), outcome.room.host) == (["a"], "a")
    assert told(outcome.effects) == [(("a",), "room-joined"), (("b",), "queued")]
    assert outcome.gone == ("in0",)


def test_who_is_away_is_skipped_and_keeps_its_place() -> None:
    room = full_room(member("a", away=True), member("b"), member("c"))
    outcome = leaving.disconnect(room, "in0", NOW)
    assert outcome.room is not None
    assert list(outcome.room.members) == ["b"]
    assert [waiting.id for waiting in outcome.room.queue] == ["a", "c"]
    assert told(outcome.effects) == [(("b",), "room-joined"), (("c",), "queued")]
    assert presence.back(outcome.room, "a", NOW).effects == ()


def test_who_comes_back_takes_the_place_that_is_free() -> None:
    room = full_room(member("a", away=True))
    outcome = leaving.disconnect(room, "in0", NOW)
    assert outcome.room is not None  # it does not vanish while somebody may come back
    assert outcome.room.members == {}
    outcome = presence.back(outcome.room, "a", NOW)
    assert told(outcome.effects) == [(("a",), "room-joined")]


def test_the_host_goes_to_who_is_connected() -> None:
    room = full_room(places=3)
    room = presence.away(room, "in1").room or room
    outcome = leaving.disconnect(room, "in0", NOW)
    assert outcome.room is not None
    assert outcome.room.host == "in2"


async def queue_of(connect: Any, count: int) -> Any:
    host = await connect()
    room = await host.create(maxParticipants=1)
    waiting = [await connect() for _ in range(count)]
    for position, wire in enumerate(waiting, start=1):
        queued = await wire.ask("join-room", {"roomId": room, **WAIT}, requestId=position)
        assert queued == {
            "type": "queued",
            "roomId": room,
            "position": position,
            "requestId": position,
        }
    return host, room, waiting


async def test_a_place_is_given_first_come_first_served(connect: Any) -> None:
    host, room, (a, b, c) = await queue_of(connect, 3)
    assert await host.types() == []  # the queue causes no room-updated
    assert (await host.ask("get-room", {"roomId": room}))["room"]["queueLength"] == 3
    late = await connect()
    assert await late.refused("join-room", {"roomId": room}) == "room-full"
    await host.ask("leave-room", {"roomId": room})
    joined = await a.hear("room-joined")
    assert "requestId" not in joined
    assert joined["room"]["host"] == a.id
    assert joined["room"]["queueLength"] == 2
    assert (await b.hear("queued"))["position"] == 1
    assert (await c.hear("queued"))["position"] == 2
    await b.socket.close()
    assert (await c.hear("queued"))["position"] == 1
    assert (await c.ask("leave-room", {"roomId": room}))["type"] == "room-left"
    assert (await a.ask("get-room", {"roomId": room}))["room"]["queueLength"] == 0


async def test_while_anybody_waits_nobody_passes(connect: Any) -> None:
    host, room, (a,) = await queue_of(connect, 1)
    again = await a.ask("join-room", {"roomId": room, **WAIT})
    assert (again["type"], again["position"]) == ("queued", 1)
    assert await a.refused("join-room", {"roomId": room}) == "room-full"
    await host.ask("update-room", {"roomId": room, "locked": True})
    await host.ask("update-room", {"roomId": room, "maxParticipants": 2})
    assert await a.types() == []  # paused
    assert await host.types() == []
    await host.say("update-room", {"roomId": room, "locked": False})
    updated = await host.hear("room-updated")
    assert updated["room"]["participants"] == [host.id]
    assert (await host.hear("member-joined"))["memberId"] == a.id
    await a.hear("room-joined")


async def test_a_new_password_empties_the_queue(connect: Any) -> None:
    host, room, (a, b) = await queue_of(connect, 2)
    await host.ask("update-room", {"roomId": room, "password": "new"})
    for wire in (a, b):
        error = await wire.hear("error")
        assert (error["code"], error["roomId"]) == ("wrong-password", room)
    await host.ask("update-room", {"roomId": room, "maxParticipants": 0})
    assert await a.types() == []
    assert await a.refused("join-room", {"roomId": room, **WAIT}) == "wrong-password"
    assert (await a.join(room, password="new"))["queueLength"] == 0


async def test_a_place_in_a_queue_counts_among_the_rooms(connect_to: Any, serve: Any) -> None:
    async with serve(max_rooms_per_client=1) as server:
        host, a = await connect_to(server.url), await connect_to(server.url)
        room = await host.create("x", maxParticipants=1)
        await a.ask("join-room", {"roomId": room, **WAIT})
        assert await a.refused("create-room", {"name": "y"}) == "too-many-rooms"
        assert (await a.ask("join-room", {"roomId": room, **WAIT}))["type"] == "queued"
