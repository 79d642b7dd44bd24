"""The records of one process in dictionaries: what every store reads from.

Rules of this file:
1. A commit is checked and written in one step. It is written whole or not at all.
2. What was written can be undone, the last first: as if it had not been. No version comes twice,
   so that who has seen what is undone meets a conflict.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from msgspec.structs import replace

from ..clients.session import Session
from ..rooms.room import Room
from .base import CLOSED_FOR, Commit, Conflict, Page, RoomWrite, SessionWrite

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Key = tuple[int, str]


class Records:
    """Implements that part of `Store` which reads records. No method suspends."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._names: dict[str, str] = {}
        self._public: list[_Key] = []  # sorted: the order of a listing, and its cursors
        self._sessions: dict[str, Session] = {}
        self._closed: dict[str, datetime] = {}  # in the order of closing
        self._versions = count(1)  # one for all, so that no version comes twice

    async def room(self, id: str) -> Room | None:
        return self._rooms.get(id)

    async def room_named(self, name: str) -> Room | None:
        id = self._names.get(name)
        return None if id is None else self._rooms[id]

    async def rooms_named(self, name: str) -> list[Room]:
        return [room for room in self._rooms.values() if room.name == name]

    async def rooms(self) -> list[Room]:
        return list(self._rooms.values())

    async def room_count(self) -> int:
        return len(self._rooms)

    async def public_rooms(self, limit: int, after: str | None, query: str) -> Page:
        start = 0 if after is None else bisect_right(self._public, _parse(after))
        found: list[Room] = []
        query = query.casefold()
        for index in range(start, len(self._public)):
            room = self._rooms[self._public[index][1]]
            if query not in room.name.casefold():
                continue
            if len(found) == limit:
                return Page(found, _cursor(found[-1]))
            found.append(room)
        return Page(found, None)

    async def closed_at(self, id: str) -> datetime | None:
        return self._closed.get(id)

    async def sessions_at(self, node: str) -> list[Session]:
        return [session for session in self._sessions.values() if session.node == node]

    async def session(self, id: str) -> Session | None:
        return self._sessions.get(id)

    def fill(
        self, rooms: Iterable[Room], sessions: Iterable[Session], closed: dict[str, datetime]
    ) -> None:
        """What was kept before; `closed` in the order of closing."""
        for room in rooms:
            self._write_room(RoomWrite(None, room), next(self._versions))
        for session in sessions:
            self._write_session(SessionWrite(None, session), next(self._versions))
        self._closed.update(closed)

    def write(self, commit: Commit) -> None:
        """Raises `Conflict`."""
        self.check(commit)
        self.put(commit, self._versions)

    def check(self, commit: Commit) -> None:
        """Raises `Conflict` where it cannot be written."""
        for room in commit.rooms:
            self._check_room(room)
        for session in commit.sessions:
            self._check_session(session)

    def put(self, commit: Commit, versions: Iterator[int]) -> None:
        """Write it: the next of these for each record, rooms before sessions."""
        for room in commit.rooms:
            self._write_room(room, next(versions))
        for session in commit.sessions:
            self._write_session(session, next(versions))

    def undo(self, commit: Commit) -> None:
        for session in reversed(commit.sessions):
            write = SessionWrite(session.after, session.before)
            self._write_session(write, next(self._versions))
        for room in reversed(commit.rooms):
            current = None if room.after is None else self._rooms[room.after.id]
            self._write_room(RoomWrite(current, room.before), next(self._versions))
            if room.before is not None and room.closed_at is not None:
                del self._closed[room.before.id]

    def forget_closed(self, now: datetime) -> None:
        while self._closed:
            id, closed_at = next(iter(self._closed.items()))
            if closed_at > now - CLOSED_FOR:
                break
            del self._closed[id]

    def _check_room(self, write: RoomWrite) -> None:
        before, after = write.before, write.after
        if before is None:
            assert after is not None
            if after.id in self._rooms or after.id in self._closed:
                raise Conflict
        else:
            current = self._rooms.get(before.id)
            if current is None or current.version != before.version:
                raise Conflict
        if after is not None and after.public_name is not None:
            if self._names.get(after.public_name, after.id) != after.id:
                raise Conflict

    def _check_session(self, write: SessionWrite) -> None:
        if write.before is None:
            assert write.after is not None
            stands = write.after.id not in self._sessions
        else:
            current = self._sessions.get(write.before.id)
            stands = current is not None and current.version == write.before.version
        if not stands:
            raise Conflict

    def _write_room(self, write: RoomWrite, version: int) -> None:
        before, after = write.before, write.after
        was = before.public_name if before is not None else None
        now = after.public_name if after is not None else None
        if before is not None and was is not None and was != now:
            del self._names[was]
        if after is not None and now is not None:
            self._names[now] = after.id
        if before is not None and was is not None and now is None:
            del self._public[bisect_left(self._public, _key(before))]
        if after is not None and was is None and now is not None:
            insort(self._public, _key(after))
        if after is not None:
            self._rooms[after.id] = replace(after, version=version)
        elif before is not None:
            del self._rooms[before.id]
            if write.closed_at is not None:
                self._closed[before.id] = write.closed_at

    def _write_session(self, write: SessionWrite, version: int) -> None:
        if write.after is not None:
            written = replace(write.after, version=version)
            self._sessions[written.id] = written
        elif write.before is not None:
            del self._sessions[write.before.id]


def microseconds(time: datetime) -> int:
    """Since the epoch."""
    return (time - EPOCH) // timedelta(microseconds=1)


def _key(room: Room) -> _Key:
    return microseconds(room.created_at), room.id


def _cursor(room: Room) -> str:
    time, id = _key(room)
    return f"{time}:{id}"


def _parse(cursor: str) -> _Key:
    time, _, id = cursor.partition(":")
    return int(time), id
