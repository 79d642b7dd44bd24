"""Runs the rules of rooms against the store: load, decide, commit, and again on a conflict."""

from collections.abc import Callable
from datetime import datetime

from roomcall.protocol.errors import ErrorCode

from ..clients.session import Session
from ..store.base import Commit, Conflict, RoomWrite, SessionWrite, Store
from .outcome import Outcome, Refused
from .room import Room

Rule = Callable[[Room], Outcome]


class RoomManager:
    """The one way in which a room changes."""

    def __init__(self, store: Store, clock: Callable[[], datetime], max_rooms: int) -> None:
        self._store = store
        self._clock = clock
        self._max_rooms = max_rooms

    def now(self) -> datetime:
        return self._clock()

    async def get(self, id: str) -> Room:
        """Raises `Refused` where there is no such room."""
        room = await self._store.room(id)
        if room is None:
            raise Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such room")
        return room

    async def change(self, id: str, rule: Rule) -> None:
        """What the rule says becomes so. Raises `Refused` where it refuses."""
        while True:
            room = await self.get(id)
            try:
                return await self.commit(room, rule(room))
            except Conflict:
                continue

    async def add(self, room: Room, outcome: Outcome) -> None:
        """A new room, and what its making led to. Raises `Conflict` as `commit` does."""
        if 0 < self._max_rooms <= await self._store.room_count():
            raise Refused(ErrorCode.TOO_MANY_ROOMS, "this server holds no more rooms")
        if room.public_name is not None and await self._store.room_named(room.public_name):
            raise Refused(ErrorCode.NAME_TAKEN, "a public room of that name exists")
        await self.commit(None, outcome)

    async def commit(self, before: Room | None, outcome: Outcome) -> None:
        """What the rules have said of `before` becomes so, or `Conflict` is raised."""
        if before is not None and outcome.room is before:
            return await self._store.publish(outcome.effects)
        sessions = [
            SessionWrite(session, session.entered(outcome.room.id))
            for session in await self._sessions(outcome.entered)
            if outcome.room is not None
        ]
        sessions += [
            SessionWrite(session, session.left(before.id))
            for session in await self._sessions(outcome.gone)
            if before is not None
        ]
        await self._store.commit(
            Commit(
                rooms=(RoomWrite(before, outcome.room),),
                sessions=tuple(sessions),
                effects=outcome.effects,
            )
        )

    async def _sessions(self, ids: tuple[str, ...]) -> list[Session]:
        found = [await self._store.session(id) for id in ids]
        return [session for session in found if session is not None]
