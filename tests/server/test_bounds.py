"""How long and how large each field may be, at its bound and one past it."""

from typing import Any

import pytest

from roomcall.protocol.depth import too_deep

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


DECOMPOSED, COMPOSED = "cafe\u0301", "caf\u00e9"


async def test_names_are_composed(connect: Any) -> None:
    ann, bob = await connect(), await connect()
    made = (await ann.ask("create-room", {"name": DECOMPOSED, "displayName": DECOMPOSED}))["room"]
    assert (made["name"], made["members"][0]["displayName"]) == (COMPOSED, COMPOSED)
    for query in ({"query": "fe\u0301"}, {"query": "f\u00e9"}):
        assert len((await bob.ask("list-rooms", query))["rooms"]) == 1
    joined = await bob.ask("join-room", {"name": DECOMPOSED})
    assert joined["room"]["id"] == made["id"]
    error = await bob.ask("create-room", {"name": "\u0958" * 65})  # two of each in NFC
    assert (error["code"], "name" in error["message"]) == ("bad-request", True)


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\x9b"])
async def test_control_characters(connect: Any, sign: str) -> None:
    ann = await connect()
    room = await ann.create("room")
    for type, payload in (
        ("create-room", {"name": f"a{sign}"}),
        ("create-room", {"name": "b", "displayName": sign}),
        ("update-room", {"roomId": room, "metadata": {"description": f"a{sign}b"}}),
    ):
        error = await ann.ask(type, payload)
        assert error["code"] == "bad-request" and "control characters" in error["message"]
    assert await ann.refused("chat", sign, roomId=room) == "bad-request"


async def test_ends_of_line(connect: Any) -> None:
    ann = await connect()
    room = await ann.create("room")
    assert await ann.refused("create-room", {"name": "a\n"}) == "bad-request"
    change = {"roomId": room, "metadata": {"description": "a\tb\r\nc\n"}}
    assert (await ann.ask("update-room", change))["type"] == "room-updated"
    assert (await ann.ask("chat", "a\nb\n", roomId=room))["payload"] == "a\nb\n"


def test_depth() -> None:
    for text, deep in (
        ("[" * 64 + "]" * 64, False),
        ("[" * 65 + "]" * 65, True),
        ('{"a":' * 65 + "1" + "}" * 65, True),
        ('{"a":[' * 32 + "1" + "]}" * 32, False),
        ('[{"a":[' + '{"a":[' * 31 + "1" + "]}" * 31 + "]}]", True),
        ("[[],{}," * 64 + "1" + "]" * 64, True),  # 64 levels, and one more beside each
        ("[" + "[{}]," * 500 + "1]", False),
        ('["' + "[" * 500 + '\\"[[[", "\\\\"]', False),
        ('"' + '\\"[' * 20_000, False),  # a string that does not end; quick nevertheless
        ("[" * 60_000, True),
    ):
        assert too_deep(text) is deep, text[:50]


async def test_what_is_nested_too_deeply(connect: Any) -> None:
    ann, bob = await connect(), await connect()
    room = await ann.create("room")
    await bob.join(room)
    await ann.hear("member-joined")
    deep: Any = 1
    for _ in range(63):
        deep = [deep]
    await ann.say("offer", deep, roomId=room, to=bob.id)
    assert (await bob.hear("offer"))["payload"] == deep
    assert await ann.refused("offer", [deep], roomId=room, to=bob.id) == "bad-request"
