"""Runs the rules of rooms against the store: load, decide, commit, and again on a conflict."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from roomcall.protocol.errors import ErrorCode

from ..clients.session import Session
from ..figures import Figures
from ..store.base import Commit, Conflict, RoomWrite, SessionWrite, Store, StoreAway
from . import history
from .lifetime import due_at
from .outcome import Outcome, Refused
from .room import Room
from .rules import closing

Rule = Callable[[Room], Outcome]

_LATER = timedelta(seconds=1)


class RoomManager:
    """The one way in which a room changes. Whatever changes one raises `StoreAway` where nothing
    can be kept just now; then nothing has changed.

    `schedule(room, when)` is called after every change, to have `tick` called then; None: no more.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        schedule: Callable[[str, datetime | None], None],
        max_rooms: int,
        figures: Figures,
    ) -> None:
        self._store = store
        self._clock = clock
        self._schedule = schedule
        self._max_rooms = max_rooms
        self._figures = figures

    def now(self) -> datetime:
        return self._clock()

    async def get(self, id: str) -> Room:
        """Raises `Refused` where there is no such room."""
        room = await self._store.room(id)
        if room is None:
            raise _no_room()
        return room

    async def change(self, id: str, rule: Rule) -> None:
        """What the rule says becomes so. Raises `Refused` where it refuses."""
        while True:
            room = await self._store.room(id)
            if room is None:
                raise _no_room()
            try:
                outcome = rule(room)
                if outcome.room is room:  # most are signals: as `commit`, with a coroutine less
                    return await self._store.publish(outcome.effects, id)
                return await self.commit(room, outcome)
            except Conflict:
                continue

    async def add(self, room: Room, outcome: Outcome) -> None:
        """A new room, and what its making led to. Raises `Refused`, or `Conflict` as `commit`."""
        if 0 < self._max_rooms <= await self._store.room_count():
            raise Refused(ErrorCode.TOO_MANY_ROOMS, "this server holds no more rooms")
        await self.check_not_closed(room.id)
        await self.commit(None, outcome)

    async def check_not_closed(self, id: str) -> None:
        """Raises `Refused` where a room of this id was closed not long ago."""
        if await self._store.closed_at(id) is not None:
            raise Refused(ErrorCode.ROOM_NOT_FOUND, "the room of this id was closed")

    async def commit(self, before: Room | None, outcome: Outcome) -> None:
        """What the rules have said of `before` becomes so, or `Conflict` is raised."""
        after = outcome.room
        if before is not None and after is before:
            return await self._store.publish(outcome.effects, before.id)
        await self._check_name(before, after)
        closed = outcome.closed_at is not None
        happened = history.events(before, after, outcome.reason, self.now(), closed)
        id = before.id if before is not None else after.id if after is not None else ""
        entered = await self._sessions(outcome.entered) if outcome.entered else ()
        gone = await self._sessions(outcome.gone) if outcome.gone else ()
        await self._store.commit(
            Commit(
                rooms=(RoomWrite(before, after, outcome.closed_at),),
                sessions=(
                    *[SessionWrite(session, session.entered(id)) for session in entered],
                    *[SessionWrite(session, session.left(id)) for session in gone],
                ),
                effects=outcome.effects,
                events=tuple([(id, event) for event in happened]),
            )
        )
        self._count(before, after)
        self._schedule(id, None if after is None else due_at(after))

    def _count(self, before: Room | None, after: Room | None) -> None:
        were = before.members if before is not None else {}
        if after is not None and after.members is not were:
            self._figures.joins += len(after.members.keys() - were.keys())

    def watch(self, room: Room) -> None:
        """A room that a former process has left, or as another node has left it."""
        self._schedule(room.id, due_at(room))

    def unwatch(self, id: str) -> None:
        """Another node has ended it."""
        self._schedule(id, None)

    async def tick(self, id: str) -> None:
        """Let happen to the room what is due by now."""
        while (room := await self._store.room(id)) is not None:
            try:
                outcome = closing.tick(room, self.now())
                if outcome.room is room:
                    return self._schedule(id, due_at(room))
                return await self.commit(room, outcome)
            except Conflict:
                continue
            except StoreAway:
                return self._schedule(id, self.now() + _LATER)

    async def _check_name(self, before: Room | None, after: Room | None) -> None:
        name = after.public_name if after is not None else None
        if name is None or (before is not None and name == before.public_name):
            return
        if await self._store.room_named(name) is not None:
            raise Refused(ErrorCode.NAME_TAKEN, "a public room of that name exists")

    async def _sessions(self, ids: Iterable[str]) -> list[Session]:
        found = [await self._store.session(id) for id in ids]
        return [session for session in found if session is not None]


def _no_room() -> Refused:
    return Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such room")
