"""How long and how large each field may be, at its bound and one past it."""

from typing import Any

import pytest

FACE = "\N{GRINNING FACE}"  # one code point, four bytes, two units of UTF-16


def text(field: str, most: int, **more: Any) -> Any:
    """A field of text at its bound and past it, and how a message calls it."""
    return {**more, field: FACE * most}, {**more, field: FACE * (most + 1)}, field


def number(field: str, good: int, bad: int, **more: Any) -> Any:
    return {**more, field: good}, {**more, field: bad}, field


def described(most: int) -> Any:
    within, past = ({"metadata": {"description": FACE * length}} for length in (most, most + 1))
    return within, past, "description"


SETTINGS = [
    text("password", 256),
    number("maxParticipants", 2**31 - 1, -1),
    number("maxParticipants", 0, 2**31),
    number("emptyTtlSeconds", 86_400, 86_401),
    number("emptyTtlSeconds", 0, -1),
    described(1024),
]
NEW = [text("name", 128), ({"name": "x"}, {"name": ""}, "name")]
BOUNDS = [
    *[("create-room", *bound) for bound in [*NEW, *SETTINGS, text("displayName", 128)]],
    *[("join-room", *bound) for bound in [*NEW, *SETTINGS, text("displayName", 128)]],
    *[("update-room", *bound) for bound in [*NEW, *SETTINGS]],
    ("remove-member", *text("reason", 256)),
    ("list-rooms", *number("limit", 1, 0)),
    ("list-rooms", *number("limit", 1000, 1001)),
    ("chat-history", *number("limit", 1, 0)),
    ("chat-history", *number("limit", 1000, 1001)),
]


@pytest.mark.parametrize(("type", "within", "past", "field"), BOUNDS)
async def test_a_bound(connect: Any, type: str, within: Any, past: Any, field: str) -> None:
    wire, other = await connect(), await connect()
    room = await wire.create("room")
    await other.join(room)
    await wire.hear("member-joined")
    about: dict[str, Any] = {
        "create-room": {"name": "new"},
        "join-room": {"name": "new", "create": True},
        "list-rooms": {},
        "remove-member": {"roomId": room, "memberId": other.id},
    }.get(type, {"roomId": room})
    error = await wire.ask(type, about | past)
    assert (error["type"], error["code"], error["request"]) == ("error", "bad-request", type)
    assert field in error["message"]
    taken = await wire.ask(type, about | within)
    assert taken["type"] != "error", taken


async def test_an_emptied_field_and_one_of_another_type(connect: Any) -> None:
    wire = await connect()
    room = await wire.create("room")
    for change in (
        {"name": None},
        {"maxParticipants": None},
        {"maxParticipants": 1.5},
        {"maxParticipants": "1"},
        {"locked": 1},
        {"metadata": None},
        {"metadata": []},
        {"emptyTtlSeconds": None},
        {"password": 1},
    ):
        error = await wire.ask("update-room", {"roomId": room, **change})
        assert error["code"] == "bad-request"
        assert next(iter(change)) in error["message"]
    assert (await wire.ask("update-room", {"roomId": room}))["room"]["name"] == "room"
