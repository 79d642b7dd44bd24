"""The clock that sources keep: what time it is, and waiting for a time."""

import asyncio
from typing import Protocol


class Clock(Protocol):
    """All times are seconds on the event loop's clock."""

    def now(self) -> float:
        """The time. May be called in any thread."""
        ...

    async def sleep_until(self, time: float) -> None:
        """Wait for a time. Gives way to other tasks even when it has passed."""
        ...


class LoopClock:
    """`loop.time()` of the event loop that it is made in."""

    def __init__(self) -> None:
        self.now = asyncio.get_running_loop().time

    async def sleep_until(self, time: float) -> None:
        await asyncio.sleep(max(0.0, time - self.now()))


class Timeline:
    """Time since a source began, for all that begins together: picture and sound of a file."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._origin: float | None = None

    @property
    def origin(self) -> float:
        """When it began: the first time that somebody asked."""
        if self._origin is None:
            self._origin = self.clock.now()
        return self._origin

    def elapsed(self) -> float:
        return self.clock.now() - self.origin

    async def sleep_until(self, seconds: float) -> None:
        """Wait until so many seconds have passed since the origin."""
        await self.clock.sleep_until(self.origin + seconds)
