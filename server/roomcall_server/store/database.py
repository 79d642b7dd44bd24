"""The file of the SQLite store: what is written and read there, in one thread.

A transaction takes all commits that wait, and of each record the last value. Write-ahead logging
with `synchronous=NORMAL`: what was committed outlives the process however it ends; a machine that
loses power may lose the last moments, and never the file.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from roomcall.protocol.replies import ChatMessage

from ..clients.session import Session
from ..rooms.history import RoomEvent
from ..rooms.outcome import Keep
from ..rooms.room import Room
from . import schema
from .base import CLOSED_FOR, Commit, Inherited, KeptEvent, RoomWrite, StoreError
from .records import EPOCH, microseconds

BUSY_TIMEOUT = 1.0  # seconds for which another program may hold the file
PURGED_AT_ONCE = 100_000  # events, so that nobody waits for long


class Database:
    """One file, which no other server has meanwhile. `history`: chat messages that a room keeps;
    `days`: how long events are kept.

    The methods raise `sqlite3.Error` and `OSError`; then nothing is written.
    """

    def __init__(self, path: Path, history: int, days: float) -> None:
        self._path = path.resolve()  # one lock, by whatever name the file is called
        self._history = history
        self._days = days
        self._lock = -1
        self._identity = (0, 0)
        self._connection: sqlite3.Connection

    def open(self) -> tuple[Inherited, dict[str, datetime]]:
        """What the file holds: records, and when which rooms were closed, in that order.

        Raises `StoreError`; then the file is as it was.
        """
        try:
            self._lock = _lock(self._path)
            self._open()
            return self._load()
        except (sqlite3.Error, OSError, msgspec.DecodeError) as error:
            self.close()
            raise StoreError(_explained(self._path, error)) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if hasattr(self, "_connection"):
            self._connection.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def write(self, commits: Sequence[Commit]) -> None:
        """All of it, or raise."""
        batch = _Batch(commits)
        with self._transaction() as execute:
            self._check_place()
            for id, room in batch.rooms.items():
                if room is None:
                    execute("DELETE FROM rooms WHERE id = ?", (id,))
                elif id in batch.rewritten:
                    execute("INSERT OR REPLACE INTO rooms VALUES (?, ?)", (id, _encode(room)))
                else:
                    execute("INSERT OR REPLACE INTO chats VALUES (?, ?)", (id, room.chats))
            for id, session in batch.sessions.items():
                if session is None:
                    execute("DELETE FROM sessions WHERE id = ?", (id,))
                else:
                    execute("INSERT OR REPLACE INTO sessions VALUES (?, ?)", (id, _encode(session)))
            for id, at in batch.closed:
                execute("INSERT OR REPLACE INTO closed VALUES (?, ?)", (id, microseconds(at)))
            for id in batch.emptied:
                execute("DELETE FROM chat WHERE room = ?", (id,))
                execute("DELETE FROM chats WHERE room = ?", (id,))
            for id, messages in batch.chats.items():
                self._keep(execute, id, messages)
            for id, event in batch.events if self._days else ():
                row = (id, microseconds(event.at), _encode(event))
                execute("INSERT INTO events (room, at, event) VALUES (?, ?, ?)", row)

    def probe(self) -> None:
        """Can something be written?"""
        with self._transaction() as execute:
            self._check_place()
            execute("INSERT OR REPLACE INTO meta VALUES ('written', ?)", (str(time.time()),))

    def chat(self, room: str, before: int | None, limit: int) -> tuple[list[ChatMessage], bool]:
        """As `Store.chat`."""
        rows = self._connection.execute(
            "SELECT message FROM chat WHERE room = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (room, 1 << 62 if before is None else min(before, 1 << 62), limit + 1),
        ).fetchall()
        messages = [msgspec.json.decode(row, type=ChatMessage) for (row,) in rows[:limit]]
        return messages[::-1], len(rows) > limit

    def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        """As `Store.events`."""
        where = "id > ?" if room is None else "id > ? AND room = ?"
        rows = self._connection.execute(
            f"SELECT id, room, event FROM events WHERE {where} ORDER BY id LIMIT ?",
            (after, limit) if room is None else (after, room, limit),
        )
        decoder = msgspec.json.Decoder(RoomEvent)
        return [KeptEvent(id, of, decoder.decode(event)) for id, of, event in rows]

    def purge(self, now: datetime) -> None:
        """As `Store.purge`."""
        closed, kept = now - CLOSED_FOR, now - timedelta(days=self._days)
        with self._transaction() as execute:
            execute("DELETE FROM closed WHERE at <= ?", (microseconds(closed),))
            # They lie in the order of time: the search ends at the first that stays.
            stays = "SELECT id FROM events WHERE at >= ? ORDER BY id LIMIT 1"
            (first,) = execute(stays, (microseconds(kept),)).fetchone() or (1 << 62,)
            (oldest,) = execute("SELECT min(id) FROM events").fetchone()
            execute(
                "DELETE FROM events WHERE id < ?", (min(first, (oldest or 0) + PURGED_AT_ONCE),)
            )

    def _open(self) -> None:
        # Made by us and not by SQLite, so that nobody else can read it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,  # it is one thread, but not the one that ends it
        )
        schema.check(self._connection, str(self._path))
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        status = os.stat(self._path)
        self._identity = (status.st_dev, status.st_ino)
        with self._transaction():
            schema.migrate(self._connection)
        self.probe()

    def _load(self) -> tuple[Inherited, dict[str, datetime]]:
        execute = self._connection.execute
        inherited = Inherited(
            rooms=tuple(
                _counted(msgspec.json.decode(record, type=Room), count)
                for record, count in execute(
                    "SELECT record, count FROM rooms LEFT JOIN chats ON room = rooms.id"
                )
            ),
            sessions=tuple(
                msgspec.json.decode(record, type=Session)
                for (record,) in execute("SELECT record FROM sessions")
            ),
        )
        closed = execute("SELECT room, at FROM closed ORDER BY at")
        return inherited, {room: EPOCH + timedelta(microseconds=at) for room, at in closed}

    @contextmanager
    def _transaction(self) -> Any:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            yield execute
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _check_place(self) -> None:
        """SQLite goes on writing into a file that somebody has deleted."""
        status = os.stat(self._path)
        if (status.st_dev, status.st_ino) != self._identity:
            raise FileNotFoundError(f"{self._path} is another file than before")

    def _keep(self, execute: Any, room: str, messages: Sequence[ChatMessage]) -> None:
        for message in messages[-self._history :] if self._history else ():
            row = (room, message.id, _encode(message))
            execute("INSERT OR REPLACE INTO chat VALUES (?, ?, ?)", row)
        last = (messages[-1].id or 0) - self._history
        if last > 0:
            execute("DELETE FROM chat WHERE room = ? AND id <= ?", (room, last))


class _Batch:
    """What several commits come to, one after the other."""

    def __init__(self, commits: Iterable[Commit]) -> None:
        self.rooms: dict[str, Room | None] = {}
        self.rewritten: set[str] = set()  # those of which more has changed than the count of chats
        self.sessions: dict[str, Session | None] = {}
        self.closed: list[tuple[str, datetime]] = []
        self.emptied: set[str] = set()  # rooms whose chat of before goes
        self.chats: dict[str, list[ChatMessage]] = {}
        self.events: list[tuple[str, RoomEvent]] = []
        for commit in commits:
            self._add(commit)

    def _add(self, commit: Commit) -> None:
        for room in commit.rooms:
            if room.after is not None:
                self.rooms[room.after.id] = room.after
                if not _only_counts(room):
                    self.rewritten.add(room.after.id)
            elif room.before is not None:
                id = room.before.id
                self.rooms[id] = None
                self.emptied.add(id)
                self.chats.pop(id, None)
                if room.closed_at is not None:
                    self.closed.append((id, room.closed_at))
        for session in commit.sessions:
            if session.after is not None:
                self.sessions[session.after.id] = session.after
            elif session.before is not None:
                self.sessions[session.before.id] = None
        self.events += commit.events
        for effect in commit.effects:
            if isinstance(effect, Keep):
                self.chats.setdefault(effect.message.room_id, []).append(effect.message)


def _only_counts(write: RoomWrite) -> bool:
    before, after = write.before, write.after
    if before is None or after is None:
        return False
    return replace(before, chats=after.chats, version=after.version) == after


def _counted(room: Room, chats: int | None) -> Room:
    """Whichever was written last: the count only rises."""
    return room if chats is None else replace(room, chats=max(room.chats, chats))


def _encode(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()


def _lock(path: Path) -> int:
    """A file beside it, locked for as long as it is open: the system frees it when we die."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder — name a file in it")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent} — make it first")
    descriptor = os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(f"{path} is in use by another server — stop that one first") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


_REASONS = {
    sqlite3.SQLITE_BUSY: "is locked by another program — end that one first",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full — make room first",
    sqlite3.SQLITE_READONLY: "cannot be written — give the server the right to",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened — give the server the right to",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk fails, or is full — look after it",
}


def _explained(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error} — the server must be able to write there"
    reason = _REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return f"{path} {reason or 'is no database of roomcall, or is damaged — bring a copy back'}"
