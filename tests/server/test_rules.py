"""The rules of rooms, without a socket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.protocol import replies, requests
from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.room import RoomState
from roomcall_server.clients.session import Session
from roomcall_server.rooms.outcome import Outcome, Refused
from roomcall_server.rooms.room import Room
from roomcall_server.rooms.rules import calling, chatting, entering, leaving

NOW = datetime(2026, 1, 22, 10, 30, tzinfo=UTC)


def room_of(*ids: str, max_participants: int = 0) -> Room:
    settings = requests.RoomSettings(max_participants=max_participants)
    room: Room | None = entering.make("room", "name", settings, None, NOW, 0)
    for id in ids:
        assert room is not None
        room = join(room, id).room
    assert room is not None
    return room


def join(room: Room, id: str, *, rooms: int = 0) -> Outcome:
    session = Session(id=id, max_rooms=8, rooms=frozenset(map(str, range(rooms))))
    request = requests.JoinRoom(payload=requests.JoinRoomPayload(room_id=room.id))
    return entering.join(room, session, request, NOW, None)


def leave(room: Room, id: str) -> Outcome:
    return leaving.leave(room, id, requests.LeaveRoom(payload=requests.RoomRef("room")), NOW)


def told(outcome: Outcome) -> list[tuple[tuple[str, ...], str]]:
    """To whom goes what."""
    return [(e.to, e.message.__struct_config__.tag) for e in outcome.effects]


def signal(room: Room, kind: type[Any], sender: str, to: str) -> Outcome:
    from msgspec import Raw

    return calling.signal(room, sender, kind(room_id="room", to=to, payload=Raw(b"{}")))


def test_who_enters_first_is_host_and_the_joiner_is_last() -> None:
    outcome = join(room_of("a", "b"), "c")
    assert outcome.room is not None
    assert outcome.room.host == "a"
    assert list(outcome.room.members) == ["a", "b", "c"]
    assert told(outcome) == [(("c",), "room-joined"), (("a", "b"), "member-joined")]
    assert outcome.entered == ("c",)


def test_a_join_is_refused_for_the_first_reason_that_applies() -> None:
    full = room_of("a", "b", max_participants=2)
    for id, rooms, code in [
        ("a", 8, ErrorCode.ALREADY_IN_ROOM),
        ("c", 8, ErrorCode.TOO_MANY_ROOMS),
        ("c", 7, ErrorCode.ROOM_FULL),
    ]:
        with pytest.raises(Refused) as refused:
            join(full, id, rooms=rooms)
        assert refused.value.code is code


def test_a_leave_tells_in_order_and_the_longest_there_becomes_host() -> None:
    room = room_of("a", "b", "c")
    room = signal(room, requests.Offer, "b", "a").room or room
    room = signal(room, requests.Answer, "a", "b").room or room
    assert room.state is RoomState.IN_CALL
    outcome = leave(room, "a")
    assert told(outcome) == [
        (("a",), "room-left"),
        (("b", "c"), "member-left"),
        (("b", "c"), "host-changed"),
        (("b", "c"), "room-state"),
    ]
    assert outcome.room is not None
    assert outcome.room.host == "b"
    assert outcome.room.calls == frozenset()


def test_who_is_not_host_leaves_without_a_new_host() -> None:
    outcome = leave(room_of("a", "b"), "b")
    assert told(outcome) == [(("b",), "room-left"), (("a",), "member-left")]


def test_the_room_vanishes_with_its_last_member() -> None:
    outcome = leave(room_of("a"), "a")
    assert outcome.room is None
    assert told(outcome) == [(("a",), "room-left")]
    assert leaving.disconnect(room_of("a"), "a", NOW).effects == ()


def test_a_signal_is_for_members() -> None:
    room = room_of("a", "b")
    for sender, to, code in [
        ("x", "a", ErrorCode.NOT_IN_ROOM),
        ("x", "y", ErrorCode.NOT_IN_ROOM),
        ("a", "x", ErrorCode.PEER_NOT_FOUND),
    ]:
        with pytest.raises(Refused) as refused:
            signal(room, requests.Offer, sender, to)
        assert refused.value.code is code


def test_a_signal_that_changes_nothing_leaves_the_same_room() -> None:
    room = room_of("a", "b")
    for kind in (requests.IceCandidate, requests.Renegotiate, requests.Hangup, requests.Answer):
        assert signal(room, kind, "a", "b").room is room


def test_chat_ids_rise_by_one() -> None:
    room = room_of("a", "b")
    for number in range(1, 4):
        request = requests.Chat(request_id=5, room_id="room", payload="hello")
        outcome = chatting.chat(room, "a", request, NOW)
        keep, own, others = (effect.message for effect in outcome.effects)
        assert keep == others
        assert isinstance(own, replies.ChatMessage)
        assert isinstance(others, replies.ChatMessage)
        assert (own.id, others.id, own.request_id) == (number, number, 5)
        room = outcome.room or room


IDS = st.sampled_from("abc")
KINDS = st.sampled_from([requests.Offer, requests.Answer, requests.Hangup])


@given(st.lists(st.tuples(KINDS, IDS, IDS)))
def test_in_call_is_what_the_protocol_says(signals: list[tuple[type[Any], str, str]]) -> None:
    """Against the sentence of the protocol, read over the whole history for each pair."""
    room = room_of("a", "b", "c")
    history: list[tuple[type[Any], str, str]] = []
    for kind, sender, to in signals:
        if sender == to:
            continue
        before = room.state
        outcome = signal(room, kind, sender, to)
        room = outcome.room or room
        history.append((kind, sender, to))
        expected = any(_has_call(history, *pair) for pair in ("ab", "ac", "bc"))
        assert room.state is (RoomState.IN_CALL if expected else RoomState.ACTIVE)
        tags = [tag for _, tag in told(outcome)]
        assert ("room-state" in tags) == (room.state is not before)


def _has_call(history: list[tuple[type[Any], str, str]], one: str, other: str) -> bool:
    offered: set[str] = set()
    called = False
    for kind, sender, to in history:
        if {sender, to} != {one, other}:
            continue
        match kind:
            case requests.Offer:
                offered.add(sender)
            case requests.Answer if to in offered:
                called = True
            case requests.Hangup:
                offered.clear()
                called = False
    return called


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef"))))
def test_members_host_and_limit_hold_whatever_happens(steps: list[tuple[bool, str]]) -> None:
    room = room_of("a", max_participants=3)
    expected = ["a"]
    for joins, id in steps:
        try:
            outcome = join(room, id) if joins else leave(room, id)
        except Refused:
            assert (id in expected) == joins or len(expected) == 3
            continue
        if joins:
            expected.append(id)
        else:
            expected.remove(id)
        if outcome.room is None:
            assert expected == []
            return
        room = outcome.room
        assert list(room.members) == expected
        assert room.host == expected[0]
        assert len(expected) <= 3


def test_times_come_from_the_argument() -> None:
    later = NOW + timedelta(hours=1)
    session = Session(id="x", max_rooms=8)
    request = requests.JoinRoom(payload=requests.JoinRoomPayload(room_id="room"))
    outcome = entering.join(room_of("a"), session, request, later, None)
    assert outcome.room is not None
    assert outcome.room.members["x"].joined_at == later
