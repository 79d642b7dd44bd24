"""The store in a Redis: what the server calls."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from redis.exceptions import ResponseError

from roomcall.protocol import codec
from roomcall.protocol.replies import ChatMessage

from ...figures import StoreCalls
from ...logs import get_logger
from ...rooms.outcome import Effect, Keep, Send
from ..base import (
    Answer,
    Commit,
    Conflict,
    Inherited,
    KeptEvent,
    Listeners,
    StoreAway,
)
from . import wire
from .address import Address
from .asking import Asking
from .flights import Flight, Flights, rooms_of
from .inbox import Inbox
from .keeping import Keeping
from .life import Life
from .link import Broken, Call, Unsent
from .replica import Replica
from .wire import Argument, Told

MAX_EVENTS = 100_000  # of all rooms; then the oldest go
ODD = 20  # conflicts one after the other that the records do not explain: somebody else wrote

log = get_logger("store")


class RedisStore(Replica):
    """Implements `Store`."""

    def __init__(self, address: Address, history: int, days: float) -> None:
        super().__init__()
        self._history = history
        self._days = days
        self._odd = 0
        self._flights = Flights()
        self._asking = Asking(lambda: self._life.posts)
        self._inbox = Inbox(self, self._flights, self._asking, lambda: self._life.node)
        self._life = Life(address, self, self._flights, lambda: self._inbox, self._asking.gone)
        self._kept = Keeping(address.prefix, self._call)

    @classmethod
    async def open(cls, url: str, history: int, days: float = 30) -> Self:
        """`history`: how many chat messages a room keeps; `days`: how long events are kept.

        Raises `StoreError`.
        """
        self = cls(Address(url), history, days)
        await self._life.begin()
        return self

    @property
    def node(self) -> str:
        return self._life.node

    @property
    def calls(self) -> StoreCalls:
        return self._life.figures

    def listen(self, listeners: Listeners) -> None:
        self._inbox.listeners = listeners

    def answer(self, answer: Answer) -> None:
        self._asking.listen(answer)

    async def ask(self, node: str, message: bytes) -> bytes:
        self._check_available()
        return await self._asking.ask(node, message)

    async def inherited(self) -> Inherited:
        """All rooms. The sessions of nodes that are dead come when those are buried."""
        return Inherited(rooms=tuple(self._rooms.values()))

    @property
    def available(self) -> bool:
        return self._life.present.is_set()

    async def returned(self) -> None:
        await self._life.present.wait()

    async def commit(self, commit: Commit) -> None:
        rooms = rooms_of(commit)
        while (before := self._flights.of(rooms)) is not None:
            await asyncio.wait([before.done])
        link = self._life.link
        if link is None:
            raise StoreAway
        self.check(commit)
        id, events = self._flights.next_id(), MAX_EVENTS if self._days else 0
        its = wire.committing(self.node, id, commit, self._history, events)
        arguments = (*self._life.standing(), *its)
        flight = self._flights.begin(id, commit, rooms)
        self._life.posts.close()

        link.call(Call("commit", lambda: arguments, lambda reply: self._answered(flight, reply)))
        await asyncio.shield(flight.done)

    async def publish(self, effects: Sequence[Effect], room: str | None = None) -> None:
        if any(isinstance(effect, Keep) for effect in effects):
            return await self.commit(Commit(effects=tuple(effects)))
        before = None if room is None else self._flights.of((room,))
        if before is None:
            return self._tell(effects)
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell() -> None:
            try:
                self._tell(effects)
            except StoreAway as away:
                if not told.done():
                    told.set_exception(away)
            else:
                if not told.done():
                    told.set_result(None)

        before.then.append(tell)
        await told

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        return await self._kept.chat(room, before, limit)

    async def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        return await self._kept.events(room, after, limit)

    async def purge(self, now: datetime) -> None:
        await self._kept.purge(now, self._days)
        self.forget_closed(now)

    async def close(self) -> None:
        await self._asking.close()
        await self._life.end()

    def _check_available(self) -> None:
        if not self.available:
            raise StoreAway

    def _answered(self, flight: Flight, reply: Any) -> None:
        """What Redis says of a commit. That it is applied, says the stream."""
        if isinstance(reply, Broken):
            return
        if isinstance(reply, (Unsent, ResponseError)):
            self._flights.end(flight, StoreAway())
        elif reply[0] == b"conflict":
            self._inbox.after(reply[1], lambda: self._conflict(flight))
        else:
            flight.known = True
            self._odd = 0

    def _conflict(self, flight: Flight) -> None:
        """By now the records say why, but where one more commit has taken that away again."""
        try:
            self.check(flight.commit)
        except Conflict:
            self._odd = 0
        else:
            self._odd += 1
            self._life.suspect = self._odd >= ODD
        self._flights.end(flight, Conflict())

    def _tell(self, effects: Sequence[Effect]) -> None:
        """Those here at once, and those elsewhere by their nodes; or raise `StoreAway`."""
        here, node, sessions = [], self._life.node, self._sessions
        elsewhere: list[tuple[str, Told]] = []
        for effect in effects:
            if not isinstance(effect, Send):
                continue
            to: dict[str, list[str]] = {}
            for id in effect.to:
                session = sessions.get(id)
                if session is not None and session.node and session.node != node:
                    to.setdefault(session.node, []).append(id)
            if not to:
                here.append(effect)
                continue
            frame = codec.encode(effect.message)
            elsewhere += ((name, Told(tuple(ids), frame)) for name, ids in to.items())
            away = {id for ids in to.values() for id in ids}
            if rest := tuple(id for id in effect.to if id not in away):
                here.append(Send(rest, effect.message))
        if elsewhere:
            self._check_available()
            self._life.posts.check()
        if here:
            self._inbox.listeners.deliver(here)
        for name, told in elsewhere:
            self._life.posts.add(name, told, len(told.frame))

    async def _call(self, name: str, *command: Argument) -> Any:
        """Ask Redis. Raises `StoreAway`."""
        link = self._life.link
        if link is None:
            raise StoreAway
        try:
            return await link.request(name, *command, whole=False)
        except (Broken, Unsent, ResponseError) as error:
            if isinstance(error, ResponseError):
                log.error("Redis refuses", call=name, error=str(error))
            raise StoreAway from error
