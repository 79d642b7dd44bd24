"""The file of the SQLite store: what is in it when the process has ended, and what is wrong with it
when it cannot be used."""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from roomcall_server.store import database, schema, sqlite
from roomcall_server.store.base import (
    Commit,
    Conflict,
    Listeners,
    RoomWrite,
    SessionWrite,
    StoreAway,
    StoreError,
)
from roomcall_server.store.database import Database
from roomcall_server.store.records import Records
from roomcall_server.store.sqlite import SqliteStore
from tests.store.conftest import HISTORY, NOW, Told, keep, new_room, new_session, send


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.1)
    monkeypatch.setattr(sqlite, "PROBE_EVERY", 0.1)


async def open_store(path: Path) -> SqliteStore:
    return await SqliteStore.open(path, HISTORY)


def made(*rooms: Any, **how: Any) -> Commit:
    return Commit(rooms=tuple(RoomWrite(None, room) for room in rooms), **how)


def of_a_kill(path: Path, copy: Path) -> Path:
    """What the disk has at this moment: a process that is killed leaves just that."""
    for end in ("", "-wal"):
        Path(f"{copy}{end}").write_bytes(Path(f"{path}{end}").read_bytes())
    return copy


async def test_everything_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    store = await open_store(path)
    den, hall, gone = new_room("den", after=1), new_room("hall"), new_room("gone")
    ann, ben = new_session(token_hash="hash"), new_session()
    await store.commit(made(den, hall, gone))
    await store.commit(Commit(sessions=(SessionWrite(None, ann), SessionWrite(None, ben))))
    seen = await store.room(gone.id)
    await store.commit(Commit(rooms=(RoomWrite(seen, None, closed_at=NOW),)))
    for number in range(1, HISTORY + 4):
        room = await store.room(den.id)
        assert room is not None
        after = RoomWrite(room, replace(room, chats=number))
        await store.commit(Commit(rooms=(after,), effects=(keep(den.id, number),)))
    ways: list[Callable[[], Any]] = [
        lambda: of_a_kill(path, tmp_path / "killed.db"),
        lambda: path,
    ]
    for way in ways:
        found = way()
        if found == path:
            await store.close()
        again = await open_store(found)
        inherited = await again.inherited()
        rooms = {room.id: replace(room, version=0) for room in inherited.rooms}
        assert rooms == {den.id: replace(den, chats=HISTORY + 3), hall.id: hall}
        sessions = {session.id: replace(session, version=0) for session in inherited.sessions}
        assert sessions == {ann.id: ann, ben.id: ben}
        assert await again.room(den.id) in inherited.rooms
        assert [room.name for room in (await again.public_rooms(9, None, "")).rooms] == [
            "hall",
            "den",
        ]
        assert await again.closed_at(gone.id) == NOW
        messages, _ = await again.chat(den.id, None, 100)
        assert [message.id for message in messages] == list(range(4, HISTORY + 4))
        await again.close()


async def test_what_was_told_is_in_the_file(tmp_path: Path) -> None:
    """Whenever it is killed: what had been told by then is there."""
    path = tmp_path / "rooms.db"
    store = await open_store(path)
    copies: list[tuple[int, Path]] = []

    def deliver(effects: Any) -> None:
        number = int(effects[0].message.room_id)
        copies.append((number, of_a_kill(path, tmp_path / f"killed-{number}.db")))

    store.listen(Listeners(deliver))
    room = new_room()
    await store.commit(made(room))
    for number in range(5):
        room = await store.room(room.id)  # type: ignore[assignment]
        after = RoomWrite(room, replace(room, chats=number))
        await store.commit(Commit(rooms=(after,), effects=(send(str(number)),)))
    await store.close()
    assert [number for number, _ in copies] == list(range(5))
    for number, path in copies:
        killed = await open_store(path)
        found = await killed.room(room.id)
        assert found is not None and found.chats == number
        await killed.close()


async def test_many_commits_are_few_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(tmp_path / "rooms.db")
    sizes: list[int] = []
    write = store._database.write
    monkeypatch.setattr(
        store._database, "write", lambda commits: (sizes.append(len(commits)), write(commits))
    )
    await asyncio.gather(*(store.commit(made(new_room(f"{n}"))) for n in range(500)))
    assert sum(sizes) == 500
    assert len(sizes) <= 2
    await store.close()


def rights_in(folder: Path) -> list[str]:
    return [oct(file.stat().st_mode & 0o777) for file in folder.iterdir()]


async def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    store = await open_store(path)
    await store.commit(made(new_room()))
    assert rights_in(tmp_path) == ["0o600"] * 4
    await store.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "chat", "delete", "close", "session", "leave"]),
        st.sampled_from([0, 0, 0, 1]),
        st.booleans(),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_file_against_the_records(steps: Any, tmp_path_factory: Any) -> None:
    """Whatever is done, in however many transactions, the file has what the memory has."""
    path = tmp_path_factory.mktemp("file") / "rooms.db"
    file, memory = Database(path, HISTORY, 30), Records()
    file.open()
    batch: list[Commit] = []
    said: dict[str, list[int]] = {}
    for step, number, ends in steps:
        id = f"{number}"
        room, session = memory._rooms.get(id), memory._sessions.get(id)
        commit = Commit()
        if step == "write":
            after = replace(room or new_room(id=id), name=f"{id} {len(said)}", locked=not ends)
            commit = Commit(rooms=(RoomWrite(room, after),))
        elif step == "chat" and room is not None:
            after = replace(room, chats=room.chats + 1)
            commit = Commit(rooms=(RoomWrite(room, after),), effects=(keep(id, after.chats),))
            said.setdefault(id, []).append(after.chats)
        elif step in ("delete", "close") and room is not None:
            at = NOW + timedelta(seconds=len(memory._closed)) if step == "close" else None
            commit = Commit(rooms=(RoomWrite(room, None, closed_at=at),))
            said.pop(id, None)
        elif step == "session":
            commit = Commit(sessions=(SessionWrite(session, session or new_session(id=id)),))
        elif step == "leave" and session is not None:
            commit = Commit(sessions=(SessionWrite(session, None),))
        try:
            memory.write(commit)
        except Conflict:  # the id was closed
            continue
        batch.append(commit)
        if ends:
            file.write(batch)
            batch = []
    file.write(batch)
    file.close()
    again = Database(path, HISTORY, 30)
    inherited, closed = again.open()
    for found, wanted in (
        (inherited.rooms, memory._rooms),
        (inherited.sessions, memory._sessions),
    ):
        assert {each.id: replace(each, version=0) for each in found} == {  # type: ignore[attr-defined]
            id: replace(each, version=0) for id, each in wanted.items()
        }
    assert closed == memory._closed
    for number in range(2):
        messages, _ = again.chat(f"{number}", None, 100)
        assert [message.id for message in messages] == said.get(f"{number}", [])[-HISTORY:]
    again.close()


# What is wrong with the file, and what the error says of it.


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE theirs (x)")
    file.close()


def newer(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 + 7 : 4096 * 4] = random.Random(7).randbytes(4096 * 3 - 7)
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def unreadable(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("UPDATE rooms SET record = '{}'")
    file.close()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (foreign, "another program"),
        (newer, "newer roomcall"),
        (no_database, "damaged"),
        (overwritten, "damaged"),
        (cut_off, "damaged"),
        (unreadable, "damaged"),
    ],
)
async def test_what_cannot_be_used_is_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "rooms.db"
    if spoil not in (foreign, no_database):
        store = await open_store(path)
        await store.commit(made(*(new_room(f"{number}") for number in range(100))))
        await store.close()
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=says) as refused:
        await open_store(path)
    text = str(refused.value)
    assert text.startswith(str(path)) and " — " in text and "\n" not in text
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "says"), [("missing/rooms.db", "there is no folder"), (".", "is a folder")]
)
async def test_where_no_file_can_be(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        await open_store(tmp_path / name)


async def test_a_file_that_is_held_at_the_start(tmp_path: Path) -> None:
    await (await open_store(tmp_path / "rooms.db")).close()
    other = sqlite3.connect(tmp_path / "rooms.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        await open_store(tmp_path / "rooms.db")
    other.close()


async def test_one_server_a_file(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "rooms.db")
    with pytest.raises(StoreError, match="in use by another server"):
        await open_store(tmp_path / "rooms.db")
    await store.close()
    await (await open_store(tmp_path / "rooms.db")).close()


async def test_a_file_of_an_older_version_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rooms.db"
    store = await open_store(path)
    room = new_room()
    await store.commit(made(room))
    await store.close()
    fails = (*schema.MIGRATIONS, "CREATE TABLE more (x); CREATE TABLE more (x)")
    monkeypatch.setattr(schema, "MIGRATIONS", fails)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        await open_store(path)
    assert path.read_bytes() == before  # whole, or not at all
    monkeypatch.setattr(schema, "MIGRATIONS", (*fails[:-1], "CREATE TABLE more (x)"))
    store = await open_store(path)
    assert await store.room(room.id) is not None
    await store.close()
    file = sqlite3.connect(path)
    assert file.execute("PRAGMA user_version").fetchone() == (len(fails),)
    assert file.execute("SELECT * FROM more").fetchall() == []
    file.close()


async def test_a_file_that_another_program_holds(tmp_path: Path) -> None:
    """Nothing is kept, so nothing has changed, and nobody is told; afterwards all is well."""
    path = tmp_path / "rooms.db"
    store = await open_store(path)
    told = Told(store)
    den, ann = new_room("den"), new_session()
    await store.commit(made(den))
    seen = await store.room(den.id)
    assert seen is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commits = [
        Commit(
            rooms=(RoomWrite(seen, replace(seen, name="hall")),),
            sessions=(SessionWrite(None, ann),),
            effects=(send("never"),),
        ),
        made(new_room("den"), effects=(send("never"),)),  # of the name that has become free
    ]
    failed = await asyncio.gather(*map(store.commit, commits), return_exceptions=True)
    assert [type(error) for error in failed] == [StoreAway, StoreAway]
    assert not store.available
    found = await store.room_named("den")
    assert found is not None and replace(found, version=0) == den
    assert await store.room_count() == 1
    assert await store.session(ann.id) is None
    with pytest.raises(StoreAway):
        await store.commit(made(new_room()))
    assert await told.texts() == []  # but what is only told passes
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(10):
        await store.returned()
    await store.commit(Commit(rooms=(RoomWrite(found, None, closed_at=NOW),)))
    await store.close()
    again = await open_store(path)
    assert (await again.inherited()).rooms == ()
    assert await again.closed_at(den.id) == NOW
    await again.close()


async def test_what_a_failed_close_had_taken_is_back(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    store = await open_store(path)
    den = new_room("den")
    await store.commit(made(den))
    await store.publish([keep(den.id, 1)])
    path.rename(tmp_path / "moved.db")  # SQLite would go on writing into it
    with pytest.raises(StoreAway):
        seen = await store.room(den.id)
        await store.commit(Commit(rooms=(RoomWrite(seen, None, closed_at=NOW),)))
    assert await store.closed_at(den.id) is None
    assert (await store.room_named("den")) is not None
    (tmp_path / "moved.db").rename(path)
    async with asyncio.timeout(10):
        await store.returned()
    assert len((await store.chat(den.id, None, 10))[0]) == 1
    await store.close()
