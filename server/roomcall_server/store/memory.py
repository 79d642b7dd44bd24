"""The store of one process: dictionaries. It forgets everything when the process ends.

No method suspends, so a commit and its delivery are one step of the event loop.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count, islice

from roomcall.protocol.replies import ChatMessage

from ..rooms.outcome import Effect, Keep
from .alone import Alone
from .base import Commit, Inherited, KeptEvent
from .records import Records

MAX_EVENTS = 50_000  # of all rooms; then the oldest go


class MemoryStore(Alone, Records):
    """Implements `Store`. It is never away."""

    available = True

    def __init__(self, history: int, days: float = 30) -> None:
        """`history`: how many chat messages a room keeps; `days`: how long events are kept."""
        super().__init__()
        self._history = history
        self._days = days
        self._events: deque[KeptEvent] = deque(maxlen=MAX_EVENTS)
        self._event_ids = count(1)
        self._chats: dict[str, deque[ChatMessage]] = {}

    async def inherited(self) -> Inherited:
        return Inherited()

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        kept = list(self._chats.get(room, ()))
        if before is not None:
            kept = [message for message in kept if message.id is not None and message.id < before]
        return kept[-limit:], len(kept) > limit

    async def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        first = self._events[0].id if self._events else 0
        later = islice(self._events, max(0, after + 1 - first), None)
        found = (event for event in later if room is None or event.room == room)
        return list(islice(found, limit))

    async def purge(self, now: datetime) -> None:
        self.forget_closed(now)
        while self._events and self._events[0].event.at < now - timedelta(days=self._days):
            self._events.popleft()

    async def commit(self, commit: Commit) -> None:
        self.write(commit)
        for room in commit.rooms:
            if room.before is not None and room.after is None:
                self._chats.pop(room.before.id, None)
        if self._days:
            ids = self._event_ids
            self._events.extend(KeptEvent(next(ids), room, event) for room, event in commit.events)
        self._keep(commit.effects)
        self.applied(commit)

    async def publish(self, effects: Sequence[Effect], room: str | None = None) -> None:
        self._keep(effects)
        self.tell(effects)

    def _keep(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Keep):
                kept = self._chats.setdefault(effect.message.room_id, deque(maxlen=self._history))
                kept.append(effect.message)

    async def returned(self) -> None:
        pass

    async def close(self) -> None:
        pass
