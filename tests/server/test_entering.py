"""Joins, and the order of what is in their way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode
from roomcall_server.clients.session import Session
from roomcall_server.rooms.outcome import Refused, Send
from roomcall_server.rooms.room import Ban, Member, Room
from roomcall_server.rooms.rules import entering

NOW = datetime(2026, 1, 22, tzinfo=UTC)
NOWHERE = "00000000-0000-4000-8000-000000000000"

# In the order in which the protocol has them.
IN_THE_WAY = (
    ErrorCode.ALREADY_IN_ROOM,
    ErrorCode.BANNED,
    ErrorCode.TOO_MANY_ROOMS,
    ErrorCode.ROOM_NOT_OPEN,
    ErrorCode.ROOM_LOCKED,
    ErrorCode.WRONG_PASSWORD,
    ErrorCode.ROOM_FULL,
)


def sets() -> Iterator[frozenset[ErrorCode]]:
    """Everything that can be in the way at once. Nobody is in a room that has not opened."""
    for count in range(len(IN_THE_WAY) + 1):
        for codes in map(frozenset, combinations(IN_THE_WAY, count)):
            if not codes >= {ErrorCode.ALREADY_IN_ROOM, ErrorCode.ROOM_NOT_OPEN}:
                yield codes


def member(id: str) -> Member:
    return Member(id=id, display_name="", joined_at=NOW)


def join(codes: frozenset[ErrorCode], *, wait: bool) -> str:
    """The code of the refusal, or the type of the reply."""
    room = Room(
        id="room",
        name="x",
        created_at=NOW,
        members={"me": member("me")} if ErrorCode.ALREADY_IN_ROOM in codes else {},
        bans=(Ban("me", None),) if ErrorCode.BANNED in codes else (),
        opened=ErrorCode.ROOM_NOT_OPEN not in codes,
        locked=ErrorCode.ROOM_LOCKED in codes,
        password="a hash" if ErrorCode.WRONG_PASSWORD in codes else None,
        # Whom others go before finds it full.
        queue=(member("other"),) if ErrorCode.ROOM_FULL in codes else (),
    )
    elsewhere = 8 if ErrorCode.TOO_MANY_ROOMS in codes else 7
    session = Session(id="me", max_rooms=8, rooms=frozenset(map(str, range(elsewhere))))
    request = requests.JoinRoom(requests.JoinRoomPayload(room_id="room", wait_if_full=wait))
    try:
        outcome = entering.join(room, session, request, NOW, None)
    except Refused as refused:
        return refused.code
    first = outcome.effects[0]
    assert isinstance(first, Send)
    return str(first.message.__struct_config__.tag)


def test_the_first_that_applies_is_told() -> None:
    for codes in sets():
        first = next((code for code in IN_THE_WAY if code in codes), "room-joined")
        assert join(codes, wait=False) == first, codes


def test_the_queue_stands_in_for_two_of_them_after_the_password() -> None:
    waits = {ErrorCode.ROOM_NOT_OPEN, ErrorCode.ROOM_FULL}
    for codes in sets():
        otherwise = "queued" if codes & waits else "room-joined"
        first = next((code for code in IN_THE_WAY if code in codes - waits), otherwise)
        assert join(codes, wait=True) == first, codes


async def test_an_unknown_room_comes_before_all(connect_to: Any, serve: Any) -> None:
    async with serve(max_rooms_per_client=1) as server:
        wire = await connect_to(server.url)
        await wire.create()
        assert await wire.refused("join-room", {"roomId": NOWHERE}) == "room-not-found"
        assert await wire.refused("join-room", {"name": "nowhere"}) == "room-not-found"
        wanted = {"name": "second", "create": True}
        assert await wire.refused("join-room", wanted) == "too-many-rooms"


@pytest.mark.parametrize("by", ["roomId", "name"])
async def test_a_join_that_would_make_a_room_that_opens_later(connect: Any, by: str) -> None:
    """Who does not wait is refused, and no room is made; who waits has made it."""
    wire, other = await connect(), await connect()
    opens = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wanted = {"name": "later", "create": True, "opensAt": opens}
    if by == "roomId":
        wanted["roomId"] = NOWHERE
    assert await wire.refused("join-room", wanted) == "room-not-open"
    assert (await wire.ask("list-rooms"))["rooms"] == []
    queued = await wire.ask("join-room", {**wanted, "waitIfFull": True})
    assert (queued["type"], queued["position"]) == ("queued", 1)
    (row,) = (await other.ask("list-rooms"))["rooms"]
    assert (row["id"], row["state"]) == (queued["roomId"], "SCHEDULED")
    assert await other.refused("join-room", {"roomId": row["id"]}) == "room-not-open"


async def test_the_settings_of_a_join_are_for_a_room_that_it_makes(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create("den", maxParticipants=5)
    wanted = {"maxParticipants": 1, "locked": True, "password": "x", "emptyTtlSeconds": 10**6}
    joined = await b.ask("join-room", {"name": "den", "create": True, **wanted})
    assert (joined["room"]["id"], joined["room"]["maxParticipants"]) == (room, 5)
    assert (joined["room"]["locked"], joined["room"]["hasPassword"]) == (False, False)
    new = {"name": "loft", "create": True}
    assert await b.refused("join-room", {**new, "emptyTtlSeconds": 10**6}) == "bad-request"
    made = await b.ask("join-room", {**new, "maxParticipants": 2, "displayName": "ben"})
    assert (made["room"]["maxParticipants"], made["room"]["host"]) == (2, b.id)
    assert made["room"]["members"][0]["displayName"] == "ben"
