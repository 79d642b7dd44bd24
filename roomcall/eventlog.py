"""What has happened in a call, for any number of readers, each at its own pace.

Rule 1. A reader sees everything since the call was entered, in order, however late it starts: so no
        `track` or `first-frame` is missed between entering and iterating.
Rule 2. The log is bounded (`LENGTH`): a reader further behind than that loses the oldest.
Rule 3. Of statistics only the latest `KEPT_STATS` stay: they would push the rest out.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import takewhile

from .events import Event, StatsUpdated

LENGTH = 4096
KEPT_STATS = 10


class EventLog:
    def __init__(self) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=LENGTH)
        self._count = 0
        self._ended = False
        self._changed = asyncio.Event()

    def append(self, event: Event) -> None:
        if isinstance(event, StatsUpdated):
            self._forget_stats()
        self._count += 1
        self._events.append((self._count, event))
        self._wake()

    def end(self) -> None:
        """Nothing more will come: iterations end when they have read what is there."""
        self._ended = True
        self._wake()

    def _forget_stats(self) -> None:
        kept = [item for item in self._events if isinstance(item[1], StatsUpdated)]
        if len(kept) >= KEPT_STATS:
            self._events.remove(kept[0])

    def _after(self, seen: int) -> list[tuple[int, Event]]:
        newest_first = takewhile(lambda item: item[0] > seen, reversed(self._events))
        return list(newest_first)[::-1]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Event]:
        seen = 0
        while True:
            changed = self._changed
            fresh = self._after(seen)
            for number, event in fresh:
                seen = number
                yield event
            if not fresh:
                if self._ended:
                    return
                await changed.wait()
