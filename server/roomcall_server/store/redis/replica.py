"""All records as Redis has them, at one point of the order of all commits. Pure."""

from collections.abc import Iterable
from itertools import count

from ..base import Commit, RoomWrite, SessionWrite
from ..records import Records
from . import wire
from .wire import Argument, Committed, Snapshot


class Replica(Records):
    """`position` is the last entry of the node's stream that is applied, `version` the highest that
    was seen."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.version = 0

    def load(self, snapshot: Snapshot) -> Commit:
        """Begin anew from this: what it comes to for who knew what was before."""
        rooms, sessions = self._rooms, self._sessions
        super().__init__()
        self.position, self.version = snapshot.position, snapshot.version
        for room in sorted(snapshot.rooms, key=lambda room: (room.created_at, room.version)):
            self._write_room(RoomWrite(None, room), room.version)
        for session in snapshot.sessions:
            self._write_session(SessionWrite(None, session), session.version)
        self._closed.update(snapshot.closed)
        return Commit(
            rooms=tuple(
                RoomWrite(was, now)
                for id in rooms.keys() | self._rooms.keys()
                if (was := rooms.get(id)) != (now := self._rooms.get(id))
            ),
            sessions=tuple(
                SessionWrite(before, after)
                for id in sessions.keys() | self._sessions.keys()
                if (before := sessions.get(id)) != (after := self._sessions.get(id))
            ),
        )

    def seen(self, entry: Committed) -> Commit:
        """What an entry changes of these records; without its effects."""
        rooms: list[RoomWrite] = []
        sessions: list[SessionWrite] = []
        start = 0
        for write in entry.meta.writes:
            record = entry.records[start : start + write.size]
            start += write.size
            if write.key == "r":
                room = wire.room(record) if record else None
                closed_at = entry.meta.closed.get(write.id)
                rooms.append(RoomWrite(self._rooms.get(write.id), room, closed_at))
            else:
                session = wire.session(record) if record else None
                sessions.append(SessionWrite(self._sessions.get(write.id), session))
        return Commit(rooms=tuple(rooms), sessions=tuple(sessions))

    def apply(self, commit: Commit, base: int) -> None:
        """Write what another node, or this one, has made; `base` is the version before it."""
        self.put(commit, count(base + 1))
        self.version = max(self.version, base + len(commit.rooms) + len(commit.sessions))

    def node_of(self, session: str) -> str | None:
        """Where this client is; None where there is none."""
        found = self._sessions.get(session)
        return None if found is None else found.node

    def nodes(self) -> set[str]:
        """Those that have sessions."""
        return {session.node for session in self._sessions.values() if session.node}

    def has_sessions_of(self, node: str) -> bool:
        return any(session.node == node for session in self._sessions.values())

    def restoring(self, nodes: Iterable[str]) -> list[Argument]:
        """What `restore` takes after the epochs and the version."""
        records: list[Argument] = []
        for room in self._rooms.values():
            records += ("r", room.id, room.version, wire.record(room))
        for session in self._sessions.values():
            records += ("s", session.id, session.version, wire.record(session))
        names: list[Argument] = []
        for name, id in self._names.items():
            names += (name, id)
        living: list[Argument] = list(nodes)
        return [
            *(len(records) // 4, *records, len(names) // 2, *names),
            *(len(self._closed), *wire.closings(self._closed)),
            *(len(living), *living),
        ]
