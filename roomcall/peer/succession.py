"""The connections with one peer, one after the other, and the data channels on each.

A living one stays beside its successor for a while, so that no picture stops.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import RTCDataChannel

from .connection import Connection
from .datachannel import DataChannel

OLD_STAYS = 2.0  # seconds for which a living connection is kept when its successor is connected


class Succession:
    """`current` is the connection in use, or in the making."""

    def __init__(self) -> None:
        self.current: Connection | None = None
        self._old: list[Connection] = []  # to be closed; one may live until its successor does
        self._retiring: asyncio.TimerHandle | None = None
        self._channels: dict[DataChannel, Connection | None] = {}  # and what carries each
        self._count = 0

    async def step_aside(self, *, living: bool) -> None:
        """There is to be another one; one that is `living` stays until that is connected."""
        replaced, self.current = self.current, None
        self._count += 1
        if replaced is None:
            return
        if living:
            await self.close_old()
        self._old.append(replaced)
        if not living:
            await self._close(replaced)

    def while_current(self, callback: Callable[..., None]) -> Callable[..., None]:
        """For the connection that is made next: what an old one still says does not count."""
        count = self._count

        def guarded(*arguments: Any) -> None:
            if self.current is not None and self._count == count:
                callback(*arguments)

        return guarded

    def retire_old_soon(self, retire: Callable[[], None]) -> None:
        """The current one is connected: `retire` is called when nothing needs an old one."""
        if self._old and self._retiring is None:
            loop = asyncio.get_running_loop()
            self._retiring = loop.call_later(OLD_STAYS, retire)

    def add_channel(
        self, made: RTCDataChannel, on_message: Callable[[DataChannel, str | bytes], None]
    ) -> DataChannel:
        """One of the current connection, which ends with it."""
        channel = DataChannel(made, lambda data: on_message(channel, data))
        self._channels[channel] = self.current
        return channel

    async def close(self) -> None:
        """All of them."""
        if self.current is not None:
            self._old.append(self.current)
            self.current = None
        await self.close_old()

    async def close_old(self) -> None:
        if self._retiring is not None:
            self._retiring.cancel()
            self._retiring = None
        for connection in list(self._old):
            await self._close(connection)

    async def _close(self, connection: Connection) -> None:
        await connection.close()
        self._old.remove(connection)
        for channel in [c for c, carrier in self._channels.items() if carrier is connection]:
            channel.end()
            del self._channels[channel]
