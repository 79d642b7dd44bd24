"""Rooms that open, close, live on and vanish by themselves."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from roomcall.protocol import requests
from roomcall_server.rooms import lifetime
from roomcall_server.rooms.outcome import Refused
from roomcall_server.rooms.room import Member, Room
from roomcall_server.rooms.rules import closing, entering, leaving, settings
from roomcall_server.service import Service
from roomcall_server.timers import Timers

NOW = datetime(2026, 1, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def made(**wanted: Any) -> Room:
    return entering.make("room", "x", requests.RoomSettings(**wanted), None, NOW, 0)


@pytest.mark.parametrize(
    ("opens", "closes", "field"),
    [
        (timedelta(days=400), None, "opensAt"),
        (None, timedelta(days=400), "closesAt"),
        (None, -MINUTE, "closesAt"),
        (2 * MINUTE, MINUTE, "closesAt"),
        (MINUTE, MINUTE, "closesAt"),
    ],
)
def test_times_that_cannot_be(opens: Any, closes: Any, field: str) -> None:
    wanted = requests.RoomSettings(
        opens_at=opens and NOW + opens, closes_at=closes and NOW + closes
    )
    with pytest.raises(Refused) as refused:
        settings.check_settings(wanted, 10, NOW)
    assert field in refused.value.message


def test_a_room_that_never_had_a_member_lives_for_a_while() -> None:
    assert lifetime.vanishes_at(made()) == NOW + 5 * MINUTE
    assert lifetime.vanishes_at(made(empty_ttl_seconds=600)) == NOW + 10 * MINUTE
    later = made(opens_at=NOW + MINUTE)
    assert lifetime.vanishes_at(later) == NOW + 6 * MINUTE
    assert lifetime.due_at(later) == NOW + MINUTE


def test_an_empty_room_lives_for_its_time() -> None:
    room = made(empty_ttl_seconds=60).with_member(
        Member(id="a", display_name="", joined_at=NOW), host="a"
    )
    assert lifetime.due_at(room) is None
    room = leaving.disconnect(room, "a", NOW).room or room
    assert room.host is None
    assert lifetime.due_at(room) == NOW + MINUTE
    assert closing.tick(room, NOW + 0.9 * MINUTE).room is room
    end = closing.tick(room, NOW + MINUTE)
    assert (end.room, end.closed_at) == (None, None)


def test_at_its_opening_those_who_wait_come_in() -> None:
    waiting = tuple(Member(id=id, display_name="", joined_at=NOW) for id in "abc")
    room = made(opens_at=NOW + MINUTE, max_participants=2)
    room = Room(
        **{field: getattr(room, field) for field in room.__struct_fields__} | {"queue": waiting}
    )
    assert closing.tick(room, NOW).room is room
    opened = closing.tick(room, NOW + MINUTE).room
    assert opened is not None
    assert (list(opened.members), opened.host) == (["a", "b"], "a")
    assert opened.members["a"].joined_at == NOW + MINUTE
    assert [member.id for member in opened.queue] == ["c"]


def test_at_its_close_the_room_is_closed() -> None:
    room = made(closes_at=NOW + MINUTE)
    end = closing.tick(room, NOW + MINUTE)
    assert (end.room, end.closed_at) == (None, NOW + MINUTE)


class Clock:
    """The server's, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def in_(self, seconds: float) -> str:
        return (self.now + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("roomcall_server.app.Service", partial(Service, clock=clock))
    return clock


@pytest.fixture
async def passes(clock: Clock, server: Any) -> Any:
    """`await passes(seconds, room)`: time passes, and the room's timer is due."""

    async def passes(seconds: float, room: str) -> None:
        clock.now += timedelta(seconds=seconds)
        await server.service.context.rooms.tick(room)

    return passes


async def test_a_scheduled_room(clock: Clock, passes: Any, connect: Any) -> None:
    maker, a, b = await connect(), await connect(), await connect()
    made = await maker.ask("create-room", {"name": "later", "opensAt": clock.in_(60)})
    room = made["room"]["id"]
    assert (made["room"]["state"], made["room"]["participants"]) == ("SCHEDULED", [])
    assert made["room"]["host"] is None
    assert await a.refused("join-room", {"roomId": room}) == "room-not-open"
    assert (await a.ask("join-room", {"roomId": room, "waitIfFull": True}))["position"] == 1
    assert (await b.ask("join-room", {"roomId": room, "waitIfFull": True}))["position"] == 2
    (row,) = (await a.ask("list-rooms"))["rooms"]
    assert row["state"] == "SCHEDULED"
    await passes(59.9, room)
    assert await a.types() == []
    await passes(0.1, room)
    joined = await a.hear("room-joined")
    assert (joined["room"]["host"], joined["room"]["state"]) == (a.id, "ACTIVE")
    assert (await a.hear("member-joined"))["memberId"] == b.id
    assert (await b.hear("room-joined"))["room"]["participants"] == [a.id, b.id]


async def test_a_room_closes_at_its_time(clock: Clock, passes: Any, connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create("short", closesAt=clock.in_(60), maxParticipants=1)
    await b.ask("join-room", {"roomId": room, "waitIfFull": True})
    await passes(60, room)
    for wire in (a, b):
        assert await wire.backlog() == [{"type": "room-closed", "roomId": room}]
    assert await a.refused("get-room", {"roomId": room}) == "room-not-found"
    again = {"roomId": room, "name": "short", "create": True}
    assert await a.refused("join-room", again) == "room-not-found"  # as after `close-room`


async def test_a_room_lives_on_and_vanishes(passes: Any, connect: Any) -> None:
    a = await connect()
    room = await a.create("tarrying", emptyTtlSeconds=60)
    await a.ask("leave-room", {"roomId": room})
    info = (await a.ask("get-room", {"roomId": room}))["room"]
    assert (info["state"], info["host"]) == ("EMPTY", None)
    await passes(59, room)
    assert (await a.join(room))["host"] == a.id
    await passes(60, room)
    await a.ask("leave-room", {"roomId": room})
    await passes(59, room)
    assert (await a.ask("get-room", {"roomId": room}))["type"] == "room-info"
    await passes(1, room)
    assert await a.refused("get-room", {"roomId": room}) == "room-not-found"
    again = {"roomId": room, "name": "tarrying", "create": True}
    assert (await a.ask("join-room", again))["type"] == "room-joined"  # it was not closed


async def test_who_waits_for_a_locked_room_hears_that_it_vanishes(
    passes: Any, connect: Any
) -> None:
    a, b = await connect(), await connect()
    room = await a.create("locked", emptyTtlSeconds=60, maxParticipants=1)
    await b.ask("join-room", {"roomId": room, "waitIfFull": True})
    await a.ask("update-room", {"roomId": room, "locked": True})
    await a.ask("leave-room", {"roomId": room})
    assert await b.types() == []
    await passes(60, room)
    assert await b.backlog() == [{"type": "room-closed", "roomId": room}]


async def test_timers_call_in_the_order_of_their_times() -> None:
    now = NOW
    called: asyncio.Queue[str] = asyncio.Queue()
    timers = Timers(lambda: now)
    running = asyncio.create_task(timers.run(called.put))
    timers.schedule("later", NOW + MINUTE)
    timers.schedule("never", NOW + MINUTE)
    timers.schedule("moved", NOW + 9 * MINUTE)
    await asyncio.sleep(0)  # it waits for the first
    timers.schedule("never", None)
    timers.schedule("moved", NOW - MINUTE)
    assert await asyncio.wait_for(called.get(), 5) == "moved"
    now += 2 * MINUTE
    timers.schedule("now", NOW)
    assert [await asyncio.wait_for(called.get(), 5) for _ in range(2)] == ["now", "later"]
    assert called.empty()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_times_are_given_back_in_utc(connect: Any) -> None:
    a = await connect()
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    local = opens.astimezone(timezone(timedelta(hours=2)))
    made = await a.ask("create-room", {"name": "x", "opensAt": local.isoformat()})
    assert made["room"]["opensAt"] == opens.isoformat().replace("+00:00", "Z")
    naive = {"name": "y", "opensAt": "2026-01-22T10:30:00"}
    assert await a.refused("create-room", naive) == "bad-request"
    long = {"name": "y", "emptyTtlSeconds": 86_401}
    assert await a.refused("create-room", long) == "bad-request"
