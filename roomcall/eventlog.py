"""What has happened in a call, for any number of readers, each at its own pace.

Rule 1. A reader sees everything since the call was entered, in order, however late it starts: so no
        `track` or `first-frame` is missed between entering and iterating.
Rule 2. The log is bounded (`LENGTH`): a reader further behind than that loses the oldest.
Rule 3. Of statistics and data only the latest stay (`FEW`): they would push the rest out, and fill
        the memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import takewhile
from operator import itemgetter

from .events import DataReceived, Event, StatsUpdated

LENGTH = 4096
FEW: dict[type[Event], int] = {StatsUpdated: 10, DataReceived: 64}


class EventLog:
    def __init__(self) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=LENGTH)
        self._few = {kind: deque[tuple[int, Event]](maxlen=length) for kind, length in FEW.items()}
        self._count = 0
        self._ended = False
        self._changed = asyncio.Event()

    def append(self, event: Event) -> None:
        self._count += 1
        self._few.get(type(event), self._events).append((self._count, event))
        self._wake()

    def end(self) -> None:
        """Nothing more will come: iterations end when they have read what is there."""
        self._ended = True
        self._wake()

    def _after(self, seen: int) -> list[tuple[int, Event]]:
        fresh = [
            item
            for events in (self._events, *self._few.values())
            for item in takewhile(lambda item: item[0] > seen, reversed(events))
        ]
        return sorted(fresh, key=itemgetter(0))

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
