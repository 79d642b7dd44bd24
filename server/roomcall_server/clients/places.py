"""A client's places in rooms and queues, as its connection breaks, comes back, or its id ends.

What has to happen to them happens: where the store is away, as soon as it is back.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..logs import get_logger
from ..rooms.manager import RoomManager
from ..rooms.outcome import Outcome, Refused
from ..rooms.room import Room
from ..rooms.rules import leaving, presence
from ..store.base import Commit, Conflict, SessionWrite, Store, StoreAway
from .client import Client

log = get_logger("places")

Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Places:
    """What waits for the store is given to `spawn`."""

    def __init__(self, store: Store, rooms: RoomManager, spawn: Spawn) -> None:
        self._store = store
        self._rooms = rooms
        self._spawn = spawn
        self._leaving: dict[str, Client] = {}

    def moved(self, id: str) -> None:
        """Another node has it now: what we were doing for it is that node's to do."""
        if id in self._leaving:
            self._leaving[id].moved = True

    async def note(self, client: Client) -> None:
        """It is lost, or back: whichever it is by then."""

        def rule(room: Room) -> Outcome:
            if client.moved:
                return Outcome(room=room)
            if client.connection is None:
                return presence.away(room, client.id)
            return presence.back(room, client.id, self._rooms.now())

        await self._insist(lambda: self._for_each(client, rule))

    async def leave(self, client: Client) -> None:
        """Its id has ended: out of all of them, and forgotten."""

        def rule(room: Room) -> Outcome:
            if client.moved:
                return Outcome(room=room)
            return leaving.disconnect(room, client.id, self._rooms.now())

        async def leave() -> None:
            self._leaving[client.id] = client
            try:
                await self._for_each(client, rule)
                await self._forget(client)
            finally:
                del self._leaving[client.id]

        await self._insist(leave)

    async def _forget(self, client: Client) -> None:
        session = await self._store.session(client.id)
        while session is not None and session.node == self._store.node:
            try:
                return await self._store.commit(Commit(sessions=(SessionWrite(session, None),)))
            except Conflict:
                session = await self._store.session(client.id)

    async def _for_each(self, client: Client, rule: Callable[[Room], Outcome]) -> None:
        session = await self._store.session(client.id)
        if session is None or session.node != self._store.node:
            return
        for room in session.rooms:
            try:
                await self._rooms.change(room, rule)
            except Refused:
                log.debug("room gone meanwhile", room=room)

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except StoreAway:
            self._spawn(self._later(work))

    async def _later(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._store.returned()
            try:
                return await work()
            except StoreAway:
                continue
