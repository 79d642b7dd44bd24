"""The list of public rooms, page by page, and the history of a room's chat."""

from typing import Any

import pytest
from msgspec.structs import replace

from roomcall.protocol.room import Metadata
from roomcall_server.store.base import Store
from tests.store.conftest import HISTORY, keep, new_room, renamed, send


async def pages(store: Store, limit: int, query: str = "") -> list[list[str]]:
    """The names, a list a page."""
    found, after = [], None
    while True:
        page = await store.public_rooms(limit, after, query)
        found.append([room.name for room in page.rooms])
        if page.next is None:
            return found
        after = page.next


async def test_rooms_come_in_the_order_of_their_making(store: Store, write: Any) -> None:
    for name, after in [("c", 3), ("a", 1), ("d", 4), ("b", 2), ("e", 5)]:
        await write(None, new_room(name, after=after))
    assert await pages(store, 10) == [["a", "b", "c", "d", "e"]]
    assert await pages(store, 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert await pages(store, 5) == [["a", "b", "c", "d", "e"]]  # and no page that is empty


async def test_rooms_of_the_same_moment_are_each_shown_once(store: Store, write: Any) -> None:
    names = [f"{number}" for number in range(7)]
    for name in names:
        await write(None, new_room(name))
    found = [name for page in await pages(store, 3) for name in page]
    assert sorted(found) == names
    assert found == [name for page in await pages(store, 2) for name in page]


async def test_private_rooms_are_not_shown(store: Store, write: Any) -> None:
    room = await write(None, new_room("den", after=1))
    hidden = await write(None, new_room("secret", private=True))
    assert await pages(store, 10) == [["den"]]
    await write(hidden, replace(hidden, metadata=Metadata()))
    assert await pages(store, 10) == [["secret", "den"]]
    room = await write(room, replace(room, metadata=Metadata(private=True)))
    assert await pages(store, 10) == [["secret"]]
    await write(room, None)
    assert await pages(store, 10) == [["secret"]]


async def test_a_part_of_the_name_in_any_case(store: Store, write: Any) -> None:
    for number, name in enumerate(["Team Meeting", "team lunch", "Straße", "50%_off", "ÉTÉ"]):
        await write(None, new_room(name, after=number))
    for query, names in [
        ("TEAM", ["Team Meeting", "team lunch"]),
        ("m m", ["Team Meeting"]),
        ("strasse", ["Straße"]),
        ("été", ["ÉTÉ"]),
        ("%", ["50%_off"]),
        ("_", ["50%_off"]),
        ("0_", []),
        ("", ["Team Meeting", "team lunch", "Straße", "50%_off", "ÉTÉ"]),
    ]:
        assert await pages(store, 10, query) == [names], query
    assert await pages(store, 1, "team") == [["Team Meeting"], ["team lunch"]]


async def test_the_list_shows_rooms_as_they_are(store: Store, write: Any) -> None:
    room = await write(None, new_room("den"))
    room = await write(room, replace(renamed(room, "hall"), chats=3))
    assert (await store.public_rooms(10, None, "")).rooms == [room]


async def test_a_cursor_outlives_its_room(store: Store, write: Any) -> None:
    rooms = [await write(None, new_room(f"{number}", after=number)) for number in range(6)]
    page = await store.public_rooms(2, None, "")
    await write(rooms[1], None)
    await write(rooms[2], None)
    await write(None, new_room("before", after=-1))
    rest = await store.public_rooms(10, page.next, "")
    assert [room.name for room in rest.rooms] == ["3", "4", "5"]


@pytest.mark.parametrize("cursor", ["", "zork", ":", "1.5:x", "x:1", " "])
async def test_what_is_no_cursor(store: Store, cursor: str) -> None:
    with pytest.raises(ValueError):
        await store.public_rooms(10, cursor, "")


async def test_chat_is_read_backwards_in_pages(store: Store, write: Any) -> None:
    room = await write(None, new_room())
    await store.publish([keep(room.id, number) for number in range(1, 8)])

    async def read(before: int | None, limit: int) -> tuple[list[int | None], bool]:
        messages, more = await store.chat(room.id, before, limit)
        return [message.id for message in messages], more

    assert await read(None, 3) == ([5, 6, 7], True)
    assert await read(5, 3) == ([2, 3, 4], True)
    assert await read(2, 3) == ([1], False)
    assert await read(None, 7) == ([1, 2, 3, 4, 5, 6, 7], False)
    assert await read(1, 3) == ([], False)
    assert await read(99, 1) == ([7], True)
    messages, _ = await store.chat(room.id, None, 1)
    assert messages == [keep(room.id, 7).message]


async def test_only_the_latest_are_kept(store: Store, write: Any) -> None:
    room = await write(None, new_room())
    for number in range(1, HISTORY + 6):
        now = await store.room(room.id)
        await write(now, replace(now, chats=number), keep(room.id, number))
    messages, more = await store.chat(room.id, None, 100)
    assert [message.id for message in messages] == list(range(6, HISTORY + 6))
    assert more is False


async def test_chat_goes_with_its_room(store: Store, write: Any, told: Any) -> None:
    room = await write(None, new_room(), send("said"))
    other = await write(None, new_room("other"))
    await store.publish([keep(room.id, 1), keep(other.id, 1)])
    await write(await store.room(room.id), None)
    await write(None, new_room(id=room.id))
    assert await store.chat(room.id, None, 10) == ([], False)
    assert len((await store.chat(other.id, None, 10))[0]) == 1
    assert await told.texts() == ["said"]  # to keep is not to tell
