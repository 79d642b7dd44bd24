"""When frames go from connections to their sockets: what is sent in one breath is written at once.

One callback writes for all: a callback for each costs as much as the message.
"""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

_FEW = 4


class Cork:
    """As a context, it writes to a few right at its end: the loop need not turn once more for what
    one message has caused. For many it waits for the end of the loop tick, as more may come."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._corked: list[Connection] = []
        self._held = False
        self._due = False

    def add(self, connection: "Connection") -> None:
        """It has something to write."""
        self._corked.append(connection)
        if not self._held:
            self._later()

    def __enter__(self) -> None:
        self._held = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held = False
        if len(self._corked) > _FEW:
            self._later()
        elif self._corked:
            self._flush()

    def _later(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._due = False
        self._flush()

    def _flush(self) -> None:
        corked, self._corked = self._corked, []
        for connection in corked:
            connection.flush()
