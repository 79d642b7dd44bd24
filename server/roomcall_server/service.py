"""The parts of the server put together, without HTTP."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from roomcall.protocol.errors import CloseCode

from .clients.connection import Connection
from .clients.liveness import Liveness
from .clients.registry import Registry
from .clients.sessions import Sessions
from .config import Config
from .ice import IceServers
from .rooms.manager import RoomManager
from .signaling.context import Context
from .store.base import Store


class Service:
    """One process's part of the signaling. It lives on the event loop that made it."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.closing = False
        self._connections: set[Connection] = set()
        self._all_gone = asyncio.Event()
        registry = Registry()
        store.listen(registry.deliver)
        ice = IceServers(config.stun_urls, config.turn_urls, config.turn_secret, config.turn_ttl)
        rooms = RoomManager(store, _now, config.max_rooms)
        self.context = Context(config, store, rooms, registry, ice)
        self.sessions = Sessions(config, store, rooms, registry, ice)
        self.liveness = Liveness(config.ping_interval, config.ping_timeout)
        self._tasks: set[asyncio.Task[None]] = set()
        self.spawn(self.liveness.run())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside all else, until the service closes at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def refusal(self) -> CloseCode | None:
        """Why a new connection cannot be served now."""
        if self.closing:
            return CloseCode.GOING_AWAY
        if 0 < self.config.max_clients < len(self._connections):
            return CloseCode.SERVER_FULL
        return None

    @contextmanager
    def connection(self, transport: asyncio.Transport) -> Iterator[Connection]:
        """The connection on this socket, for as long as it is served."""
        connection = Connection(transport, self.config.queue)
        self._connections.add(connection)
        self._all_gone.clear()
        try:
            yield connection
        finally:
            connection.dispose()
            self._connections.discard(connection)
            if not self._connections:
                self._all_gone.set()

    async def close(self) -> None:
        """Tell every client that the server goes, and wait until they have heard it."""
        self.closing = True
        for connection in self._connections:
            connection.on_close = None  # nobody leaves: the rooms end with the server
            connection.close(CloseCode.GOING_AWAY)
        if self._connections:
            await self._all_gone.wait()  # bounded: each is cut after its close timeout
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> datetime:
    return datetime.now(UTC)
