"""The life of a client's id: from its first connection, past broken ones, until it has left every
room."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from roomcall.protocol import VERSION
from roomcall.protocol.errors import CloseCode, ErrorCode
from roomcall.protocol.outbox import Outbox
from roomcall.protocol.replies import ClientId, Error, Limits

from ..config import Config
from ..ice import IceServers
from ..logs import get_logger
from ..rooms.manager import RoomManager
from ..rooms.outcome import Outcome, Refused
from ..rooms.room import Room
from ..rooms.rules import leaving, presence
from ..store.base import Commit, Conflict, SessionWrite, Store
from .client import Client
from .connection import Connection
from .rate import Bucket, Pace
from .registry import Registry
from .session import Grant, Session

log = get_logger("sessions")

Spawn = Callable[[Coroutine[Any, Any, None]], None]

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
    ) -> None:
        self._config = config
        self._store = store
        self._rooms = rooms
        self._registry = registry
        self._ice = ice
        self._spawn = spawn
        self._loop = asyncio.get_running_loop()

    async def arrive(self, connection: Connection, arrival: Arrival) -> Client | None:
        """The client of a new connection, which has been told its id; None: there is no place."""
        client = await self._resume(connection, arrival) if arrival.resume else None
        if client is None:
            if 0 < self._config.max_clients <= len(self._registry):
                return None
            client = await self._open(connection, arrival)
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
            await self._for_each_room(client, lambda room: presence.away(room, client.id))
            timer = self._loop.call_later(
                self._config.resume_grace, lambda: self._spawn(self._end(client, None))
            )
            client.set_timer("grace", timer)
        log.info("client lost", client=client.id)

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
        config = self._config
        session = Session(
            id=str(uuid4()), max_rooms=config.max_rooms_per_client, grant=arrival.grant
        )
        kept = config.resume_frames if config.resume_grace else 0
        client = Client(
            session.id,
            secrets.token_urlsafe(24),
            arrival.address,
            Outbox(kept, config.resume_bytes),
            self._pace(),
            direct=arrival.direct and config.direct_mode,
        )
        await self._store.commit(Commit(sessions=(SessionWrite(None, session),)))
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

    def _pace(self) -> Pace:
        config, now = self._config, self._loop.time()
        return Pace(
            Bucket(config.rate_messages, now, config.rate_patience),
            Bucket(config.rate_bytes, now, config.rate_patience, config.max_message_bytes),
        )

    async def _resume(self, connection: Connection, arrival: Arrival) -> Client | None:
        """Give an id its new connection, and what it has missed. None: it begins anew."""
        assert arrival.resume is not None
        client = self._registry.by_token(arrival.resume)
        if client is None:
            return None
        async with client.turn:
            session = await self._store.session(client.id)
            if client not in self._registry or session is None:
                return None
            if not _same_owner(session.grant, arrival.grant):
                return None
            sent = client.outbox.sent
            since = client.lost_at if client.connection is None else sent
            missed = client.outbox.after(since if arrival.received is None else arrival.received)
            if missed is not None:
                if session.grant != arrival.grant:
                    await self.refresh(client, arrival.grant)
                self._take_over(client, connection)
                self._greet(client, resumed=True)
                for frame in missed:
                    connection.send(frame)
                client.outbox.acknowledge(sent - len(missed))
                await self._for_each_room(
                    client, lambda room: presence.back(room, client.id, self._rooms.now())
                )
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
            await self._for_each_room(
                client, lambda room: leaving.disconnect(room, client.id, self._rooms.now())
            )
            session = await self._store.session(client.id)
            if session is not None:
                await self._store.commit(Commit(sessions=(SessionWrite(session, None),)))
        log.info("client gone", client=client.id)

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

    async def _for_each_room(self, client: Client, rule: Callable[[Room], Outcome]) -> None:
        session = await self._store.session(client.id)
        for room in session.rooms if session is not None else ():
            try:
                await self._rooms.change(room, rule)
            except Refused:
                log.debug("room gone meanwhile", room=room)

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
        if resumed:
            hello = replace(hello, received=client.received)
        client.greet(hello)


def _same_owner(one: Grant, other: Grant) -> bool:
    return (one.subject, one.room) == (other.subject, other.room)
