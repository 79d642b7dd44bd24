"""What happened in a room, and what it comes to."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

import roomcall_server
from roomcall.protocol.room import Metadata
from roomcall_server.rooms.history import Tally, events
from roomcall_server.rooms.room import Member, Room
from roomcall_server.rooms.rules.leaving import without

NOW = datetime(2026, 1, 22, tzinfo=UTC)
PAIR = ("ann", "ben")
ADMIN = "an admin token that is long enough"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def room_of(*members: str, **fields: Any) -> Room:
    inside = {id: Member(id=id, display_name=id.title(), joined_at=NOW) for id in members}
    return Room(id="r", name="den", created_at=NOW, members=inside, **fields)


def told(before: Room | None, after: Room | None, reason: Any = None, closed: bool = False) -> Any:
    """What happened, 10 s after: all that is said of it but the time."""
    found = events(before, after, reason, at(10), closed)
    assert {event.at for event in found} <= {at(10)}
    return [
        [value for name in event.__struct_fields__ if is_told(name, value := getattr(event, name))]
        for event in found
    ]


def is_told(name: str, value: Any) -> bool:
    return name != "at" and value is not UNSET


def test_a_room_is_made_and_entered() -> None:
    assert told(None, room_of("ann")) == [["created", "den"], ["joined", "ann", "Ann"]]
    assert told(room_of("ann"), room_of("ann", "ben")) == [["joined", "ben", "Ben"]]


def test_what_is_no_event() -> None:
    room = room_of("ann")
    for after in (room, replace(room, chats=1), replace(room, locked=True, metadata=Metadata())):
        assert told(room, after) == []


def test_who_left_comes_before_who_takes_the_place() -> None:
    changed = told(room_of("ann", "ben"), room_of("ben", "cem"), "removed")
    assert changed == [["left", "ann", "Ann", "removed", 10.0], ["joined", "cem", "Cem"]]


def test_the_last_one_leaves() -> None:
    room = room_of("ann", chats=3)
    emptied = without(room, "ann", at(10))
    leaves = [["left", "ann", "Ann", "left", 10.0], ["chat", 3]]
    assert told(room, emptied, "left") == leaves
    assert told(room, None, "left") == [*leaves, ["closed", "empty"]]
    assert told(emptied, None) == [["closed", "empty"]]
    closed = told(room, None, "room-closed", closed=True)
    assert closed[0] == ["left", "ann", "Ann", "room-closed", 10.0]
    assert closed[-1] == ["closed", "room-closed"]


def test_a_call_and_a_recording() -> None:
    room = room_of("ann", "ben")
    in_call = replace(room, calls=frozenset({PAIR}))
    assert told(room, in_call) == [["call-started", "ann", "ben"]]
    assert told(in_call, room) == [["call-ended", "ann", "ben"]]
    records = room.with_member(replace(room.members["ben"], recording=True))
    assert told(room, records) == [["recording", "ben", "Ben", True]]
    assert told(records, room) == [["recording", "ben", "Ben", False]]
    both = replace(records, calls=in_call.calls)
    assert told(both, without(both, "ben", at(10)), "disconnected") == [
        ["call-ended", "ann", "ben"],
        ["recording", "ben", "Ben", False],
        ["left", "ben", "Ben", "disconnected", 10.0],
    ]


NAMES = ("ann", "ben", "cem", "dan")
PAIRS = list(combinations(NAMES, 2))
STEPS = st.lists(st.sampled_from([*NAMES, *PAIRS, "chat", "wait", "wait"]), max_size=40)


@given(STEPS, st.integers(0, 60))
def test_figures_against_a_plain_count(steps: list[Any], missing: int) -> None:
    """Members come and go in turn, and so do the calls of pairs. Also where the first events are
    kept no more."""
    room, now = room_of(), 0
    found = list(events(None, room, None, NOW, False))
    inside = [0] * len(found)  # how many were in after each event
    in_room = in_calls = calls = 0
    entered: set[str] = set()
    for step in steps:
        after = room
        if step == "wait":
            in_room += 7 * len(room.members)
            in_calls += 7 * len(room.calls)
            now += 7
        elif step == "chat":
            after = replace(room, chats=room.chats + 1)
        elif isinstance(step, tuple):
            if set(step) <= room.members.keys():
                after = replace(room, calls=room.calls ^ {step})
                calls += step in after.calls
        elif step in room.members:
            after = without(room, step, at(now))
        else:
            after = room.with_member(Member(id=step, display_name="", joined_at=at(now)))
            entered.add(step)
        happened = events(room, after, None, at(now), False)
        found += happened
        inside += [len(after.members)] * len(happened)
        room = after
    missing = min(missing, len(found))
    tally = Tally()
    for event in found[missing:]:
        tally.add("r", event)
    result = tally.result([room], at(now), "r")
    assert result.peak_participants == max([*inside[max(0, missing - 1) :], len(room.members)])
    assert (result.room_id, result.rooms, result.chat_messages) == ("r", UNSET, room.chats)
    if not missing:
        assert (result.participant_seconds, result.total_participants) == (in_room, len(entered))
        assert (result.calls, result.call_seconds) == (calls, in_calls)
    else:
        assert result.participant_seconds <= in_room
        assert result.call_seconds <= in_calls and result.calls <= calls


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_what_a_server_says_of_its_rooms(
    connect_to: Any, serve: Any, tmp_path: Any, store: str
) -> None:
    name = "memory" if store == "memory" else f"sqlite:///{tmp_path}/rooms.db"
    async with serve(store=name, admin_token=ADMIN) as server:
        history = server.service.history
        ann, ben = await connect_to(server.url), await connect_to(server.url)
        room = await ann.create(displayName="Ann")
        await ben.join(room)
        await ann.hear("member-joined")
        await ben.ask("chat", "x", roomId=room)
        await ann.say("offer", {"sdp": "…"}, roomId=room, to=ben.id)
        await ben.hear("offer")
        await ben.say("answer", {"sdp": "…"}, roomId=room, to=ann.id)
        await ben.hear("room-state")
        await ben.create("another")
        running = await history.analytics(room)
        assert (running.calls, running.chat_messages, running.peak_participants) == (1, 1, 2)
        await ann.say("close-room", {"roomId": room})
        for type in ("chat", "answer", "room-state", "room-closed"):
            await ann.hear(type)
        happened = await history.events(room)
        assert [event.event for event in happened] == [
            "created",
            "joined",
            "joined",
            "call-started",
            "call-ended",
            "left",
            "left",
            "chat",
            "closed",
        ]
        assert happened[1].name == "Ann"
        assert {event.reason for event in happened if event.event == "left"} == {"room-closed"}
        of_one = await history.analytics(room)
        assert (of_one.peak_participants, of_one.total_participants, of_one.calls) == (2, 2, 1)
        assert (of_one.first_at, of_one.last_at) == (happened[0].at, happened[-1].at)
        of_all = await history.overall()
        assert (of_all.rooms, of_all.total_participants, of_all.chat_messages) == (2, 2, 1)
        assert of_all.peak_participants == 3  # ben counts in both
        assert await history.events("x") is None and await history.analytics("x") is None
        asked = await ask(f"{server.url}/api/rooms/{room}/history")
        assert asked["roomId"] == room
        assert [event["event"] for event in asked["events"]] == [e.event for e in happened]
        assert {"event": "chat", "count": 1}.items() <= asked["events"][-2].items()
        assert (await ask(f"{server.url}/api/analytics"))["peakParticipants"] == 3


async def ask(url: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        found: dict[str, Any] = await answer.json()
    return found


async def test_no_days_no_history(connect_to: Any, serve: Any) -> None:
    async with serve(history_days=0) as server:
        assert server.service.history is None
        ann = await connect_to(server.url)
        await ann.create()
        assert await server.service.context.store.events(None, 0, 9) == []
    with pytest.raises(roomcall_server.ConfigError, match="history_days"):
        async with serve(history_days=-1):
            pass
