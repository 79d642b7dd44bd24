"""Work that blocks, in a thread of its own, one result ahead of who uses it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from ..source import SourceEnded

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Calls `step` for one result after the other; a step that raises is the last.

    A waiting reader may be cancelled: no result is lost.
    """

    def __init__(self, step: Callable[[], T], name: str) -> None:
        self._step = step
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._result: Future[T] | None = None
        self._closed = False

    async def peek(self) -> T:
        """The next result, which stays the next one. Raises what the step raised.

        Raises `SourceEnded` once closed.
        """
        if self._closed:
            raise SourceEnded
        if self._result is None:
            self._result = self._thread.submit(self._step)
        # Shielded: who cancels a reader does not cancel the work.
        result = await asyncio.shield(asyncio.wrap_future(self._result))
        if self._closed:
            raise SourceEnded
        return result

    def take(self) -> None:
        """Go on from the result that was looked at; the step after it starts now."""
        if not self._closed:
            self._result = self._thread.submit(self._step)

    @property
    def closed(self) -> bool:
        return self._closed

    async def close(self) -> None:
        """Wait for a step that runs, then end the thread."""
        self._closed = True
        if self._result is not None and not self._result.done():
            await asyncio.gather(asyncio.wrap_future(self._result), return_exceptions=True)
        self._thread.shutdown()
