"""Clients that come from another node, and those that go to one.

Rules of this file:
1. A commit moves a session. What was told before it, in the order of the store, is for the node
   that the client comes from; what is told after it, for the one to which it goes.
2. The node that it comes from keeps what it has of the client until it is asked for that, and
   takes what is still on its way to it. So it is asked last, after the other nodes whose clients
   may speak to this one: whoever has answered knows of the move.
3. Who does not answer has died, or will be taken for dead: then nobody knows what the client has
   missed, and it is told so (`gap`).
4. What a node has done for a session that is no longer its own is undone by nobody: it looks at
   `moved` before it commits (`places.py`).
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from roomcall.protocol.errors import CloseCode

from ..logs import get_logger
from ..store.base import Commit, Conflict, SessionWrite, Store, StoreAway
from .client import Client
from .making import ClientMaker
from .places import Places
from .registry import Registry, token_hash
from .session import Session

log = get_logger("nodes")

KEPT_FOR = 30.0  # seconds in which the node to which a client has gone asks for what we have of it
KNOWN = b""  # asks for no client: the answer says that we know of all commits before
_APART = 0.0005  # seconds

BeginGrace = Callable[[Client, float], None]


class State(Struct, frozen=True, array_like=True):
    """What a node has of a client: the counts and frames of `Client` and its `Outbox`."""

    received: int
    sent: int
    lost_at: int
    restored: bool
    counting: bool
    frames: tuple[bytes, ...]


class Handovers:
    """`begin_grace(client, longer)` gives a client that has no connection its time."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        places: Places,
        maker: ClientMaker,
        begin_grace: BeginGrace,
    ) -> None:
        self._store = store
        self._registry = registry
        self._places = places
        self._maker = maker
        self._begin_grace = begin_grace
        self._loop = asyncio.get_running_loop()
        self._arriving: dict[str, Client] = {}
        self._kept: dict[str, asyncio.TimerHandle] = {}

    @property
    def pending(self) -> int:
        """How many have gone and were not asked for yet."""
        return len(self._kept)

    def take_up(self, sessions: Iterable[Session]) -> list[Client]:
        """They are ours, and nothing is known of their clients but that they may come back. Many do
        not all end at once."""
        clients = []
        for number, session in enumerate(sessions):
            clients.append(self._maker.make(session, restored=True))
            self._arrive(clients[-1], number * _APART)
        return clients

    async def fetch(self, token: str) -> tuple[Client, bool] | None:
        """The client of another node that resumes with this token, without a connection, and
        whether its id lives on; None where there is none. Raises `StoreAway`."""
        id, hash = token.partition(".")[0], token_hash(token)
        while (session := await self._store.session(id)) is not None:
            if session.token_hash != hash:
                return None
            if (arriving := self._arriving.get(id)) is not None:
                async with arriving.turn:  # another connection fetches it just now
                    pass
                continue
            if (here := self._registry.get(id)) is not None:
                return here, True
            if session.node == self._store.node:  # it is about to leave its rooms
                return None
            client = self._maker.make(session, restored=True)
            async with client.turn:
                try:
                    await self._move(session, client)
                    await self._let_know(session)
                    lives = await self._ask(client, session.node)
                    if client.direct:
                        self._registry.list_direct()
                    return client, lives
                except Conflict:
                    continue
                finally:
                    if client in self._registry:
                        self._begin_grace(client, 0.0)
        return None

    async def _move(self, session: Session, client: Client) -> None:
        """From this commit on what is told to it is kept here."""
        self._arriving[session.id] = client
        try:
            await self._store.commit(_moved(session, self._store.node))
        finally:
            del self._arriving[session.id]

    async def _let_know(self, session: Session) -> None:
        """Wait until the nodes of the others in its rooms send to us what is for it."""
        nodes = set()
        for id in session.rooms:
            room = await self._store.room(id)
            for member in room.members if room is not None else ():
                found = await self._store.session(member)
                if found is not None:
                    nodes.add(found.node)
        questions = [
            self._store.ask(node, KNOWN) for node in nodes - {session.node, self._store.node}
        ]
        await asyncio.gather(*questions, return_exceptions=True)

    async def _ask(self, client: Client, node: str) -> bool:
        """What the node has that had it. False: it had come to its end there."""
        try:
            answer = await self._store.ask(node, client.id.encode())
        except (StoreAway, TimeoutError):
            log.info("client taken over", client=client.id, node=node)
            return True
        if not answer:
            return False
        state = msgspec.msgpack.decode(answer, type=State)
        client.received = state.received
        client.lost_at = state.lost_at
        client.restored, client.counting = state.restored, state.counting
        client.outbox.come_after(state.sent, state.frames)
        log.info("client handed over", client=client.id, node=node)
        return True

    async def adopt(self, node: str) -> None:
        """A node has died: who was there has the grace to come back, here or elsewhere."""
        adopted = 0
        for session in await self._store.sessions_at(node):
            if await self._take_over(session.id, node):
                adopted += 1
                client = self._registry.get(session.id)
                if client is not None:
                    await self._places.note(client)
        log.info("clients of a dead node taken up", node=node, clients=adopted)

    async def _take_over(self, id: str, node: str) -> bool:
        """False where it is no longer there. While the store is away that has to wait."""
        while (session := await self._store.session(id)) is not None and session.node == node:
            try:
                await self._store.commit(_moved(session, self._store.node))
            except Conflict:
                continue
            except StoreAway:
                await self._store.returned()
            else:
                return True
        return False

    async def begin_anew(self) -> None:
        """What was told to our clients may be lost: they have to connect again, and hear of a gap.
        Those who are no longer ours come to whose they are, or are new."""
        for client in self._registry:
            self._drop(client, CloseCode.GOING_AWAY)
            self._registry.remove(client)
        for id in list(self._kept):
            self._forget(id)
        for client in self.take_up(await self._store.sessions_at(self._store.node)):
            await self._places.note(client)

    def changed(self, sessions: Sequence[SessionWrite]) -> None:
        """A commit has been applied here, ours or another node's."""
        node = self._store.node
        for write in sessions:
            before, after = write.before, write.after
            if before is None:
                continue
            stays = after is not None and after.node == node
            if before.node == node and not stays:
                self._let_go(before.id, moved=after is not None)
            elif after is not None and before.node != node and stays:
                arriving = self._arriving.get(after.id)
                if arriving is not None:
                    self._registry.add(arriving)
                else:
                    self._arrive(self._maker.make(after, restored=True))

    def _arrive(self, client: Client, longer: float = 0.0) -> None:
        self._registry.add(client)
        self._begin_grace(client, longer)

    def _let_go(self, id: str, *, moved: bool) -> None:
        self._places.moved(id)
        client = self._registry.get(id)
        if client is None:
            return
        client.moved = True
        self._drop(client, CloseCode.TAKEN_OVER if moved else CloseCode.GOING_AWAY)
        self._registry.let_go(client)
        self._kept[id] = self._loop.call_later(KEPT_FOR, self._forget, id)

    def _drop(self, client: Client, code: CloseCode) -> None:
        connection, client.connection = client.connection, None
        for name in list(client.timers):
            client.set_timer(name, None)
        if connection is not None:
            client.lost_at = client.outbox.sent
            connection.close(code)

    def _forget(self, id: str) -> None:
        timer = self._kept.pop(id, None)
        if timer is not None:
            timer.cancel()
        self._registry.forget(id)

    async def answer(self, node: str, message: bytes) -> bytes:
        """To the node to which a client has gone: what we have of it; nothing where it has come to
        its end here, or where nothing is asked."""
        id = message.decode()
        client = self._registry.gone(id)
        if client is None:
            return b""
        async with client.turn:  # what it has said before is done with, and told
            self._forget(id)
            return msgspec.msgpack.encode(
                State(
                    client.received,
                    client.outbox.sent,
                    client.lost_at,
                    client.restored,
                    client.counting,
                    client.outbox.all(),
                )
            )


def _moved(session: Session, node: str) -> Commit:
    return Commit(sessions=(SessionWrite(session, session.moved(node)),))
