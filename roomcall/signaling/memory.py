"""A room in memory: signaling between calls of one process. Serves tests, and as an example.

A member that does not take its events is out of the room at `MAX_PENDING_EVENTS` of them, as a
server would close it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from .base import MemberGone, MemberHere, Signal

MAX_PENDING_EVENTS = 1000

_CLOSED = object()


class MemoryRoom:
    """Who is in it, in order of joining."""

    def __init__(self) -> None:
        self.members: dict[str, MemorySignaling] = {}

    def signaling(self, id: str) -> "MemorySignaling":
        """For `roomcall.join(signaling=…)`, as the member `id`."""
        return MemorySignaling(self, id)


class MemorySignaling:
    """One member's end. Implements `Signaling`."""

    def __init__(self, room: MemoryRoom, id: str) -> None:
        self._room = room
        self._id = id
        self._events: asyncio.Queue[Any] = asyncio.Queue(MAX_PENDING_EVENTS)

    async def connect(self) -> str:
        for other in list(self._room.members.values()):
            self._tell(MemberHere(other._id, other._id, before=True))
            other._tell(MemberHere(self._id, self._id))
        self._room.members[self._id] = self
        return self._id

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        if member := self._room.members.get(to):
            member._tell(Signal(self._id, message))

    async def __aiter__(self) -> AsyncIterator[MemberHere | MemberGone | Signal]:
        while (event := await self._events.get()) is not _CLOSED:
            yield event

    async def close(self) -> None:
        if self._room.members.pop(self._id, None) is not None:
            self._events.put_nowait(_CLOSED)  # a place is kept for it
            for other in list(self._room.members.values()):
                other._tell(MemberGone(self._id))

    def _tell(self, event: Any) -> None:
        if self._events.qsize() < MAX_PENDING_EVENTS - 1:
            self._events.put_nowait(event)
        elif self._room.members.pop(self._id, None) is not None:
            self._events.put_nowait(_CLOSED)
            for other in list(self._room.members.values()):
                other._tell(MemberGone(self._id, "disconnected"))
