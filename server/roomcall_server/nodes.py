"""One node of several: what it does at what the others have done."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from .clients.handover import Handovers
from .clients.registry import Registry
from .logs import get_logger
from .rooms.manager import RoomManager
from .rooms.outcome import Send
from .store.base import RoomWrite, SessionWrite, Store, StoreAway

log = get_logger("nodes")


class Node:
    """What it has is named to `Store.listen`. All nodes look at all rooms when something is due:
    the first that does it has done it for all."""

    def __init__(
        self,
        store: Store,
        rooms: RoomManager,
        registry: Registry,
        handovers: Handovers,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._registry = registry
        self._handovers = handovers
        self._spawn = spawn

    def changed(
        self, rooms: Sequence[RoomWrite], sessions: Sequence[SessionWrite], mine: bool
    ) -> None:
        if not mine:
            for before, after in ((write.before, write.after) for write in rooms):
                if after is not None:
                    self._rooms.watch(after)
                elif before is not None:
                    self._rooms.unwatch(before.id)
        self._handovers.changed(sessions)

    def posted(self, effects: Sequence[Send]) -> None:
        onward = self._registry.deliver_posted(effects)
        if onward:
            self._spawn(self._pass_on(onward))

    def buried(self, node: str) -> None:
        log.warning("a node has died", node=node)
        self._spawn(self._handovers.adopt(node))

    def lost(self) -> None:
        log.warning("messages from other nodes may be lost: clients connect again")
        self._spawn(self._begin_anew())

    async def _pass_on(self, effects: Sequence[Send]) -> None:
        try:
            await self._store.publish(effects)
        except StoreAway:
            log.warning("messages to clients that have moved are lost", messages=len(effects))

    async def _begin_anew(self) -> None:
        for room in await self._store.rooms():
            self._rooms.watch(room)
        await self._handovers.begin_anew()
