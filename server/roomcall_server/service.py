"""The parts of the server put together, without HTTP."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from roomcall.protocol.errors import CloseCode

from .clients.addresses import Addresses
from .clients.connection import Backlog, Connection
from .clients.cork import Cork
from .clients.liveness import Liveness
from .clients.registry import Registry
from .clients.sessions import Sessions
from .config import Config
from .figures import Figures
from .history import History
from .ice import IceServers
from .nodes import Node
from .passwords import Passwords
from .rooms.manager import RoomManager
from .signaling.context import Context
from .store.base import Listeners, Store, StoreAway
from .timers import Timers
from .tokens import Tokens

_HOUSEKEEPING = 60.0
_NO_CODE = 1005  # See RFC 6455 section 7.4.1.
_LAG_INTERVAL = 0.1
_AFTER_GRACE = 5.0  # seconds, for who is just leaving
_BETWEEN_GOODBYES = 0.01  # seconds at most; less where --drain-seconds want it


def _now() -> datetime:
    return datetime.now(UTC)


class Service:
    """One process's part of the signaling. It lives on the event loop that made it."""

    def __init__(self, config: Config, store: Store, clock: Callable[[], datetime] = _now) -> None:
        self.config = config
        self.closing = False
        self.figures = Figures()
        self.history = History(store, clock) if config.history_days else None
        self.addresses = Addresses(
            config.max_per_address, config.rate_joins, config.rate_messages, config.rate_patience
        )
        self.liveness = Liveness(config.ping_interval, config.ping_timeout)
        self._store = store
        self._clock = clock
        self.connections: set[Connection] = set()
        self._backlog = Backlog(config.queue.total)
        self.cork = Cork()
        self._all_gone = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time  # to ask for the loop each time is a system call in Python 3.11
        registry = Registry(self.figures)
        ice = IceServers(config.stun_urls, config.turn_urls, config.turn_secret, config.turn_ttl)
        timers = Timers(clock)
        rooms = RoomManager(store, clock, timers.schedule, config.max_rooms, self.figures)
        self.sessions = Sessions(config, store, rooms, registry, ice, self.spawn, self.figures)
        handovers = self.sessions.handovers
        node = Node(store, rooms, registry, handovers, self.spawn)
        store.listen(Listeners(registry.deliver, node.changed, node.buried, node.lost, node.posted))
        store.answer(handovers.answer)
        self.context = Context(
            config=config,
            store=store,
            rooms=rooms,
            clients=registry,
            ice=ice,
            passwords=Passwords(config.password_cost),
            tokens=Tokens(config.jwt_secret) if config.jwt_secret else None,
            sessions=self.sessions,
            figures=self.figures,
            may_join=lambda address: self.addresses.may_join(address, self._loop.time()),
            joins_for_long=lambda address: self.addresses.joins_for_long(
                address, self._loop.time()
            ),
        )
        self.spawn(self.liveness.run())
        self.spawn(timers.run(rooms.tick))
        self.spawn(self._keep_house())
        self.spawn(self._measure_lag())

    async def take_up(self) -> None:
        """What a former process has left, before clients come."""
        inherited = await self._store.inherited()
        for room in inherited.rooms:
            self.context.rooms.watch(room)
        self.sessions.take_up(inherited.sessions)

    @property
    def store_available(self) -> bool:
        """Without its store nobody new is taken in."""
        return self._store.available

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside all else, until the service closes at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def connect(self, transport: asyncio.Transport, address: str) -> Connection:
        """The connection on this socket, until `disconnect`. It may be closed already."""
        connection = Connection(transport, self.config.queue, self._backlog, self.cork)
        self.connections.add(connection)
        self._all_gone.clear()
        has_place = self.addresses.enter(address)
        if self.closing:
            connection.close(CloseCode.GOING_AWAY)
        elif not has_place:
            connection.close(CloseCode.SERVER_FULL)
        return connection

    def disconnect(self, connection: Connection, address: str) -> None:
        connection.dispose()
        self.addresses.leave(address)
        self.connections.discard(connection)
        self.figures.closes[connection.close_code or _NO_CODE] += 1
        if not self.connections:
            self._all_gone.set()

    async def drain(self) -> None:
        """Take in nobody new, and send everybody away, one after the other, so that they do not all
        come to the next server at once."""
        self.closing = True
        if not self._store.node:
            self.sessions.keep()
        connections = list(self.connections)
        pause = min(_BETWEEN_GOODBYES, self.config.drain_seconds / max(1, len(connections)))
        begun = self._loop.time()
        for number, connection in enumerate(connections):
            await asyncio.sleep(begun + number * pause - self._loop.time())
            connection.close(CloseCode.GOING_AWAY)
        if self._store.node:
            await self._all_elsewhere()

    async def _all_elsewhere(self) -> None:
        """Until another node has them, or they have left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.resume_grace + _AFTER_GRACE):
                while self.context.clients or self.sessions.handovers.pending:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Tell every client that the server goes, and wait until they have heard it."""
        self.closing = True
        for connection in self.connections:
            connection.close(CloseCode.GOING_AWAY)
        if self.connections:
            await self._all_gone.wait()  # bounded: each is cut after its close timeout
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self.context.clients:
            for name in list(client.timers):
                client.set_timer(name, None)
        self.context.passwords.close()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            with suppress(StoreAway):
                await self._store.purge(self._clock())
            self.addresses.purge(self._loop.time())

    async def _measure_lag(self) -> None:
        while True:
            due = self._loop.time() + _LAG_INTERVAL
            await asyncio.sleep(_LAG_INTERVAL)
            self.figures.lag.observe(max(0.0, self._loop.time() - due))
