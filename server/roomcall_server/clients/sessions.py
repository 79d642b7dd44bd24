"""The life of a client's id: from its first connection, past broken ones, until it has left every
room."""

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from msgspec.structs import replace

from roomcall.protocol import VERSION
from roomcall.protocol.errors import CloseCode, ErrorCode
from roomcall.protocol.replies import ClientId, Error, Limits

from ..config import Config
from ..figures import Figures
from ..ice import IceServers
from ..logs import get_logger
from ..rooms.manager import RoomManager
from ..rooms.outcome import Refused
from ..store.base import Commit, Conflict, SessionWrite, Store
from .client import Client
from .connection import Connection
from .handover import Handovers
from .making import ClientMaker
from .places import Places, Spawn
from .registry import Registry, token_hash
from .session import Grant, Session

log = get_logger("sessions")

# With these an id is not at its end: another connection has it, or the server comes again.
_SPARED = (CloseCode.TAKEN_OVER, CloseCode.GOING_AWAY)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How somebody connects. `received`: how many of our messages it has, where it says so."""

    grant: Grant
    address: str = ""
    direct: bool = False
    resume: str | None = None
    received: int | None = None


class Sessions:
    """Opens, resumes and ends them. What runs beside a connection is given to `spawn`."""

    def __init__(
        self,
        config: Config,
        store: Store,
        rooms: RoomManager,
        registry: Registry,
        ice: IceServers,
        spawn: Spawn,
        figures: Figures,
    ) -> None:
        self._config = config
        self._store = store
        self._rooms = rooms
        self._registry = registry
        self._ice = ice
        self._figures = figures
        self._spawn = spawn
        self._places = Places(store, rooms, spawn)
        self._maker = ClientMaker(config)
        self.handovers = Handovers(store, registry, self._places, self._maker, self._begin_grace)
        self._opening = 0  # on their way into the registry
        self._kept = False
        self._loop = asyncio.get_running_loop()

    async def arrive(self, connection: Connection, arrival: Arrival) -> Client | None:
        """The client of a new connection, which has been told its id; None: there is no place.

        Raises `StoreAway`.
        """
        client = await self._resume(connection, arrival) if arrival.resume else None
        if client is None:
            if 0 < self._config.max_clients <= len(self._registry) + self._opening:
                return None
            client = await self._open(connection, arrival)
        client.address = arrival.address
        connection.on_close = lambda code: self._closed(client, code)
        self._watch_expiry(client, arrival.grant)
        return client

    async def depart(self, client: Client, connection: Connection, *, goodbye: bool) -> None:
        """A connection has ended: with a close frame, or by breaking."""
        refused = connection.close_code not in (None, *_SPARED)
        if goodbye or refused or not self._config.resume_grace:
            return await self._end(client, connection)
        async with client.turn:
            if client.connection is not connection:
                return
            client.connection = None
            client.lost_at = client.outbox.sent
            self._begin_grace(client)
            await self._places.note(client)
        log.info("client lost", client=client.id)

    def take_up(self, sessions: Iterable[Session]) -> None:
        """A former process has left them: from now on they have the grace to come back."""
        self.handovers.take_up(sessions)

    def keep(self) -> None:
        """This process ends: who is away has what is left of the grace with the next one."""
        self._kept = True

    async def refresh(self, client: Client, grant: Grant) -> None:
        """A new token for the same client. Raises `Refused` where it is another's."""
        while True:
            session = await self._store.session(client.id)
            assert session is not None, "it lives at least as long as its client"
            if not _same_owner(session.grant, grant):
                raise Refused(ErrorCode.FORBIDDEN, "token: another sub or room than before")
            try:
                await self._store.commit(
                    Commit(sessions=(SessionWrite(session, session.with_grant(grant)),))
                )
            except Conflict:
                continue
            return self._watch_expiry(client, grant)

    async def _open(self, connection: Connection, arrival: Arrival) -> Client:
        id = str(uuid4())
        token = f"{id}.{secrets.token_urlsafe(24)}"  # by which another node finds it, too
        session = Session(
            id=id,
            max_rooms=self._config.max_rooms_per_client,
            token_hash=token_hash(token),
            direct=arrival.direct,
            grant=arrival.grant,
            node=self._store.node,
        )
        client = self._maker.make(session)
        client.token = token
        self._opening += 1
        try:
            await self._store.commit(Commit(sessions=(SessionWrite(None, session),)))
        finally:
            self._opening -= 1
        client.connection = connection
        self._registry.add(client)
        self._greet(client, resumed=False)
        if client.direct:
            self._registry.list_direct()
        elif arrival.direct:
            text = "this server has no direct mode; you are a client of rooms"
            client.send(Error(code=ErrorCode.DIRECT_MODE_DISABLED, message=text))
        log.info("client connected", client=client.id)
        return client

    async def _resume(self, connection: Connection, arrival: Arrival) -> Client | None:
        """Give an id its new connection, and what it has missed. None: it begins anew."""
        assert arrival.resume is not None
        client, how = self._registry.by_token(arrival.resume), "here"
        if client is None:
            fetched = await self.handovers.fetch(arrival.resume)
            if fetched is None:
                return None
            (client, lives), how = fetched, "moved"
            if not lives:
                await self._end(client, None)
                return None
        async with client.turn:
            session = await self._store.session(client.id)
            if client not in self._registry or session is None:
                return None
            if not _same_owner(session.grant, arrival.grant):
                return None
            if not client.counting:
                client.outbox.begin_after(arrival.received or 0)
                client.counting = True
            sent = client.outbox.sent
            since = client.lost_at if client.connection is None else sent
            missed = client.outbox.after(since if arrival.received is None else arrival.received)
            if missed is not None:
                if session.grant != arrival.grant:
                    await self.refresh(client, arrival.grant)
                self._take_over(client, connection)
                client.token = arrival.resume
                self._figures.resumes["gap" if client.gap else how] += 1
                self._greet(client, resumed=True)
                for frame in missed:
                    connection.send(frame)
                client.outbox.acknowledge(sent - len(missed))
                await self._places.note(client)
        if missed is None:
            await self._end(client, client.connection, CloseCode.TAKEN_OVER)
            return None
        log.info("client resumed", client=client.id)
        return client

    def _take_over(self, client: Client, connection: Connection) -> None:
        old, client.connection = client.connection, connection
        client.set_timer("grace", None)
        if old is not None:
            old.close(CloseCode.TAKEN_OVER)

    async def _end(
        self, client: Client, connection: Connection | None, code: CloseCode | None = None
    ) -> None:
        """The id leaves every room and is forgotten, unless another connection has it by now."""
        async with client.turn:
            if client.connection is not connection or client not in self._registry:
                return
            client.connection = None
            if connection is not None and code is not None:
                connection.close(code)
            for name in list(client.timers):
                client.set_timer(name, None)
            self._registry.remove(client)
        await self._places.leave(client)
        log.info("client gone", client=client.id)

    def _begin_grace(self, client: Client, longer: float = 0.0) -> None:
        timer = self._loop.call_later(
            self._config.resume_grace + longer, lambda: self._spawn(self._end_grace(client))
        )
        client.set_timer("grace", timer)

    async def _end_grace(self, client: Client) -> None:
        """While the store is away nobody can come back: then the time begins again."""
        if self._kept:
            return
        if self._store.available:
            return await self._end(client, None)
        await self._store.returned()
        if client.connection is None and client in self._registry:
            self._begin_grace(client)

    def _closed(self, client: Client, code: int) -> None:
        """We have closed its connection: mostly that is a leave at once."""
        if code not in _SPARED:
            self._spawn(self._end(client, client.connection))

    def _watch_expiry(self, client: Client, grant: Grant) -> None:
        """At the end of its token it is closed."""
        if grant.expires_at is not None:
            seconds = (grant.expires_at - self._rooms.now()).total_seconds()
            timer = self._loop.call_later(max(0.0, seconds), self._expire, client)
            client.set_timer("expiry", timer)

    def _expire(self, client: Client) -> None:
        if client.connection is not None:
            client.connection.close(CloseCode.UNAUTHORIZED)

    def _greet(self, client: Client, *, resumed: bool) -> None:
        config = self._config
        hello = ClientId(
            id=client.id,
            protocol=VERSION,
            features=config.features(),
            ice_servers=self._ice.for_client(client.id, self._rooms.now()),
            limits=Limits(
                max_message_bytes=config.max_message_bytes,
                max_rooms_per_client=config.max_rooms_per_client,
            ),
            resumed=resumed,
        )
        if config.resume_grace:
            hello = replace(hello, resume_token=client.token)
        if client.gap:
            hello = replace(hello, gap=True)
        elif resumed:
            hello = replace(hello, received=client.received)
        client.greet(hello)


def _same_owner(one: Grant, other: Grant) -> bool:
    return (one.subject, one.room) == (other.subject, other.room)
