"""Records and their versions: what is written, and what is not."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from roomcall.protocol.room import Metadata
from roomcall_server.clients.session import Grant
from roomcall_server.rooms.room import Ban, Member
from roomcall_server.store.base import CLOSED_FOR, Commit, Conflict, RoomWrite, SessionWrite, Store
from tests.store.conftest import NOW, new_room, new_session, renamed, send


async def test_an_empty_store(store: Store) -> None:
    assert await store.room("x") is None
    assert await store.room_named("x") is None
    assert await store.session("x") is None
    assert await store.closed_at("x") is None
    assert await store.room_count() == 0
    assert (await store.public_rooms(10, None, "")).rooms == []
    assert await store.chat("x", None, 10) == ([], False)


async def test_what_is_written_is_read_whole(store: Store, write: Any) -> None:
    member = Member(id="a", display_name="Ann", joined_at=NOW, subject="ann", privileged=True)
    waiting = Member(id="b", display_name="Ben", joined_at=NOW, away=True)
    room = new_room(
        host="a",
        max_participants=2,
        password="a hash",
        locked=True,
        members={"a": member, "c": replace(member, id="c")},
        queue=(waiting,),
        bans=(Ban("d", "dan"),),
        offers=frozenset({("a", "c")}),
        calls=frozenset({("a", "c")}),
        chats=7,
        opens_at=NOW,
        closes_at=NOW + timedelta(hours=1),
        empty_ttl=60,
    )
    found = await write(None, room)
    assert replace(found, version=0) == replace(room, version=0)
    assert list(found.members) == ["a", "c"]  # in the order of joining
    session = new_session(grant=Grant(subject="ann", room="den", host=True, expires_at=NOW))
    session = session.entered(room.id)
    found = await write(None, session)
    assert replace(found, version=0) == replace(session, version=0)


async def test_every_write_makes_another_version(store: Store, write: Any) -> None:
    room, session = await write(None, new_room()), await write(None, new_session())
    rooms, sessions = [room.version], [session.version]
    for number in range(5):
        room = await write(room, replace(room, chats=number))
        session = await write(session, session.entered(str(number)))
        rooms.append(room.version)
        sessions.append(session.version)
    assert len(set(rooms)) == len(set(sessions)) == 6
    assert room.chats == 4
    assert session.rooms == frozenset("01234")


async def test_who_has_seen_an_older_version_changes_nothing(
    store: Store, write: Any, told: Any
) -> None:
    first = await write(None, new_room())
    now = await write(first, renamed(first, "hall"))
    for after in (renamed(first, "loft"), None):
        with pytest.raises(Conflict):
            await write(first, after, send("lost"))
    assert await store.room(first.id) == now
    session = await write(None, new_session())
    current = await write(session, session.entered("x"))
    for late in (session.entered("y"), None):
        with pytest.raises(Conflict):
            await write(session, late, send("lost"))
    assert await store.session(session.id) == current
    assert await told.texts() == []


async def test_a_record_that_has_gone_is_no_basis(store: Store, write: Any) -> None:
    """Also where another has its id by now: no version comes twice."""
    old = await write(None, new_room())
    assert await write(old, None) is None
    with pytest.raises(Conflict):
        await write(old, renamed(old, "x"))
    again = await write(None, new_room(id=old.id))
    with pytest.raises(Conflict):
        await write(old, renamed(old, "x"))
    assert await store.room(old.id) == again
    session = await write(None, new_session())
    assert await write(session, None) is None
    for after in (session.entered("x"), None):
        with pytest.raises(Conflict):
            await write(session, after)


async def test_what_is_there_cannot_be_made(store: Store, write: Any) -> None:
    room, session = await write(None, new_room()), await write(None, new_session())
    with pytest.raises(Conflict):
        await write(None, new_room("another", id=room.id))
    with pytest.raises(Conflict):
        await write(None, session)
    assert await store.room_count() == 1


async def test_a_public_name_is_had_once(store: Store, write: Any) -> None:
    den, hall = await write(None, new_room("den")), await write(None, new_room("hall"))
    secret = await write(None, new_room("den", private=True))
    assert await store.room_named("den") == den
    for before, after in [
        (None, new_room("den")),
        (hall, renamed(hall, "den")),
        (secret, replace(secret, metadata=Metadata())),
    ]:
        with pytest.raises(Conflict):
            await write(before, after)
    den = await write(den, renamed(den, "loft"))
    assert await store.room_named("den") is None
    secret = await write(secret, replace(secret, metadata=Metadata()))
    assert await store.room_named("den") == secret
    secret = await write(secret, replace(secret, metadata=Metadata(private=True)))
    assert await store.room_named("den") is None
    await write(den, None)
    assert await store.room_named("loft") is None
    assert (await write(None, new_room("loft"))).name == "loft"
    assert await store.room_named("Loft") is None  # exactly this name


async def test_a_set_is_written_whole_or_not_at_all(store: Store, write: Any, told: Any) -> None:
    one, other = await write(None, new_room("one")), await write(None, new_room("other"))
    ann, ben = await write(None, new_session()), await write(None, new_session())
    stale = one, ann
    one = await write(one, replace(one, chats=1))
    ann = await write(ann, ann.entered("x"))

    def change(*, room: Any = one, session: Any = ann) -> Commit:
        return Commit(
            rooms=(
                RoomWrite(other, replace(other, chats=9)),
                RoomWrite(room, None, closed_at=NOW),
                RoomWrite(None, new_room("new")),
            ),
            sessions=(
                SessionWrite(ben, None),
                SessionWrite(session, session.left("x")),
            ),
            effects=(send("told"),),
        )

    for bad in (change(room=stale[0]), change(session=stale[1])):
        with pytest.raises(Conflict):
            await store.commit(bad)
        assert [await store.room(room.id) for room in (one, other)] == [one, other]
        assert [await store.session(session.id) for session in (ann, ben)] == [ann, ben]
        assert await store.room_named("new") is None
        assert await store.closed_at(one.id) is None
        assert await told.texts() == []
    await store.commit(change())
    assert await store.room(one.id) is None
    assert (await store.room(other.id)).chats == 9  # type: ignore[union-attr]
    assert (await store.room_named("new")) is not None
    assert await store.closed_at(one.id) == NOW
    assert await store.session(ben.id) is None
    assert (await store.session(ann.id)).rooms == frozenset()  # type: ignore[union-attr]
    assert await told.texts() == ["told"]


async def test_a_closed_id_stays_away_for_an_hour(store: Store, write: Any) -> None:
    first, second = await write(None, new_room("1")), await write(None, new_room("2"))
    vanished = await write(None, new_room("3"))
    later = NOW + timedelta(minutes=10)
    await write(first, None, closed_at=NOW)
    await write(second, None, closed_at=later)
    await write(vanished, None)
    assert [await store.closed_at(r.id) for r in (first, second, vanished)] == [NOW, later, None]
    for room in (first, second):
        with pytest.raises(Conflict):
            await write(None, new_room(id=room.id))
    assert await write(None, new_room(id=vanished.id)) is not None
    await store.purge(NOW + CLOSED_FOR - timedelta(seconds=1))
    assert await store.closed_at(first.id) == NOW
    await store.purge(NOW + CLOSED_FOR)
    assert await store.closed_at(first.id) is None
    assert await store.closed_at(second.id) == later
    assert await write(None, new_room("again", id=first.id)) is not None


async def test_rooms_are_counted(store: Store, write: Any) -> None:
    rooms = [await write(None, new_room(f"{n}", private=n % 2 == 0)) for n in range(5)]
    assert await store.room_count() == 5
    await write(rooms[0], None, closed_at=NOW)
    await write(rooms[1], None)
    assert await store.room_count() == 3
