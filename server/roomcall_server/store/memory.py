"""The store of one process: dictionaries. It forgets everything when the process ends.

No method suspends, so a commit and its delivery are one step of the event loop.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from msgspec.structs import replace

from roomcall.protocol.replies import ChatMessage

from ..clients.session import Session
from ..rooms.outcome import Effect, Keep, Send
from ..rooms.room import Room
from .base import CLOSED_FOR, Commit, Conflict, Deliver, Page, RoomWrite

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Key = tuple[int, str]


class MemoryStore:
    """Implements `Store`."""

    def __init__(self, history: int) -> None:
        """`history`: how many chat messages a room keeps."""
        self._history = history
        self._rooms: dict[str, Room] = {}
        self._names: dict[str, str] = {}
        self._public: list[_Key] = []  # sorted: the order of a listing, and its cursors
        self._sessions: dict[str, Session] = {}
        self._closed: dict[str, datetime] = {}  # in the order of closing
        self._chats: dict[str, deque[ChatMessage]] = {}
        self._versions = count(1)  # one for all, so that no version comes twice
        self._deliver: Deliver | None = None

    def listen(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def room(self, id: str) -> Room | None:
        return self._rooms.get(id)

    async def room_named(self, name: str) -> Room | None:
        id = self._names.get(name)
        return None if id is None else self._rooms[id]

    async def rooms_named(self, name: str) -> list[Room]:
        return [room for room in self._rooms.values() if room.name == name]

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

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        kept = list(self._chats.get(room, ()))
        if before is not None:
            kept = [message for message in kept if message.id is not None and message.id < before]
        return kept[-limit:], len(kept) > limit

    async def purge(self, now: datetime) -> None:
        while self._closed:
            id, closed_at = next(iter(self._closed.items()))
            if closed_at > now - CLOSED_FOR:
                break
            del self._closed[id]

    async def session(self, id: str) -> Session | None:
        return self._sessions.get(id)

    async def commit(self, commit: Commit) -> None:
        for room in commit.rooms:
            self._check_room(room)
        for session in commit.sessions:
            if session.before is None:
                assert session.after is not None
                stands = session.after.id not in self._sessions
            else:
                current = self._sessions.get(session.before.id)
                stands = current is not None and current.version == session.before.version
            if not stands:
                raise Conflict
        for room in commit.rooms:
            self._write_room(room)
        for session in commit.sessions:
            if session.after is not None:
                written = replace(session.after, version=next(self._versions))
                self._sessions[written.id] = written
            elif session.before is not None:
                del self._sessions[session.before.id]
        await self.publish(commit.effects)

    async def publish(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Keep):
                kept = self._chats.setdefault(effect.message.room_id, deque(maxlen=self._history))
                kept.append(effect.message)
        told = [effect for effect in effects if isinstance(effect, Send)]
        if told and self._deliver is not None:
            self._deliver(told)

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

    def _write_room(self, write: RoomWrite) -> None:
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
            self._rooms[after.id] = replace(after, version=next(self._versions))
        elif before is not None:
            del self._rooms[before.id]
            self._chats.pop(before.id, None)
            if write.closed_at is not None:
                self._closed[before.id] = write.closed_at


def _key(room: Room) -> _Key:
    return (room.created_at - _EPOCH) // timedelta(microseconds=1), room.id


def _cursor(room: Room) -> str:
    time, id = _key(room)
    return f"{time}:{id}"


def _parse(cursor: str) -> _Key:
    time, _, id = cursor.partition(":")
    return int(time), id
