"""When which room is to be looked at: one timer for all of them."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count

from .logs import get_logger

log = get_logger("timers")


class Timers:
    """The latest time set for a room is the one that counts."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._due: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, int, str]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def schedule(self, room: str, when: datetime | None) -> None:
        if when is None:
            self._due.pop(room, None)
        elif self._due.get(room) != when:
            self._due[room] = when
            heapq.heappush(self._heap, (when, next(self._order), room))
            self._changed.set()

    async def run(self, tick: Callable[[str], Awaitable[None]]) -> None:
        """Call `tick(room)` at its time, for ever."""
        while True:
            self._changed.clear()
            for room in self._take_due():
                try:
                    await tick(room)
                except Exception:
                    log.exception("room not looked at", room=room)
            try:
                async with asyncio.timeout(self._wait()):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _take_due(self) -> list[str]:
        now = self._clock()
        rooms = []
        while self._heap and self._heap[0][0] <= now:
            when, _, room = heapq.heappop(self._heap)
            if self._due.get(room) == when:
                del self._due[room]
                rooms.append(room)
        return rooms

    def _wait(self) -> float | None:
        if not self._heap:
            return None
        return max(0.0, (self._heap[0][0] - self._clock()).total_seconds())
