"""The history of rooms as it is asked for: read from the store, and added up."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from msgspec import Struct

from .rooms.history import Analytics, RoomEvent, Tally
from .store.base import Store

PAGE = 1000  # events at a time, so that others have their turn
MOST = 10_000  # events of one room that are told: the latest


class RoomHistory(Struct, frozen=True, rename="camel"):
    room_id: str
    events: list[RoomEvent]


class History:
    """None: nothing is known of a room of this id. The methods raise `StoreAway`."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def events(self, room: str) -> list[RoomEvent] | None:
        """In order, of the last room of this id and of those before it."""
        found = deque([event async for _, event in self._read(room)], MOST)
        if not found and await self._store.room(room) is None:
            return None
        return list(found)

    async def analytics(self, room: str) -> Analytics | None:
        tally = Tally()
        known = False
        async for id, event in self._read(room):
            tally.add(id, event)
            known = True
        found = await self._store.room(room)
        if found is None and not known:
            return None
        return tally.result([] if found is None else [found], self._clock(), room)

    async def overall(self) -> Analytics:
        tally = Tally()
        async for id, event in self._read(None):
            tally.add(id, event)
        return tally.result(await self._store.rooms(), self._clock(), None)

    async def _read(self, room: str | None) -> AsyncIterator[tuple[str, RoomEvent]]:
        after = 0
        while page := await self._store.events(room, after, PAGE):
            for kept in page:
                yield kept.room, kept.event
            after = page[-1].id
            await asyncio.sleep(0)
