"""Several nodes in one process: what a store for many does, without an engine.

One `Records` decides; each node has its own, to which it applies what was decided in the one order,
when it comes to it. `hold` makes a node late.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count, islice
from typing import Any

from roomcall.protocol.replies import ChatMessage
from roomcall_server.rooms.outcome import Effect, Keep, Send
from roomcall_server.store.base import (
    Answer,
    Commit,
    Conflict,
    Inherited,
    KeptEvent,
    Listeners,
    StoreAway,
)
from roomcall_server.store.records import Records


class Cluster:
    def __init__(self) -> None:
        self.records = Records()
        self.versions = count(1)
        self.nodes: dict[str, NodeStore] = {}
        self.chats: dict[str, list[ChatMessage]] = defaultdict(list)

    def add(self) -> "NodeStore":
        node = NodeStore(self, f"node-{len(self.nodes)}")
        self.nodes[node.node] = node
        return node

    def kill(self, dead: "NodeStore", heir: "NodeStore") -> None:
        """It says nothing more, and hears nothing."""
        dead.alive = False
        heir.listeners.buried(dead.node)

    def send(self, entry: Callable[["NodeStore"], None], *to: str) -> None:
        for id in to or self.nodes:
            if self.nodes[id].alive:
                self.nodes[id].entries.append(entry)
                self.nodes[id].catch_up_later()


class NodeStore(Records):
    """Implements `Store`."""

    available = True
    calls = None

    def __init__(self, cluster: Cluster, name: str) -> None:
        super().__init__()
        self.node = name
        self.alive = True
        self.held = False
        self.entries: list[Callable[[NodeStore], None]] = []
        self._cluster = cluster
        self.listeners = Listeners()
        self._answer: Answer
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, listeners: Listeners) -> None:
        self.listeners = listeners

    def answer(self, answer: Answer) -> None:
        self._answer = answer

    def hold(self, held: bool) -> None:
        self.held = held
        self.catch_up_later()

    def catch_up_later(self) -> None:
        self._loop.call_soon(self._catch_up)

    def _catch_up(self) -> None:
        while self.entries and not self.held:
            self.entries.pop(0)(self)

    async def commit(self, commit: Commit) -> None:
        if not self.alive:
            raise StoreAway
        done = self._loop.create_future()
        records = self._cluster.records
        try:
            records.check(commit)
        except Conflict:
            self._cluster.send(lambda _: done.set_result(None), self.node)
            await done  # by then it has seen what it was in conflict with
            raise
        versions = list(islice(self._cluster.versions, len(commit.rooms) + len(commit.sessions)))
        records.put(commit, iter(versions))

        def apply(store: NodeStore) -> None:
            store.put(commit, iter(versions))
            store.listeners.changed(commit.rooms, commit.sessions, store is self)
            store.listeners.deliver(
                [effect for effect in commit.effects if isinstance(effect, Send)]
            )
            if store is self:
                done.set_result(None)

        self._keep(commit.effects)
        self._cluster.send(apply)
        await done

    async def publish(self, effects: Sequence[Effect], room: str | None = None) -> None:
        self._keep(effects)
        for effect in effects:
            if not isinstance(effect, Send):
                continue
            for id in effect.to:
                session = self._sessions.get(id)
                if session is None or session.node == self.node:
                    self.listeners.deliver([Send((id,), effect.message)])
                else:
                    self._post(session.node, [Send((id,), effect.message)])

    def _post(self, node: str, effects: Sequence[Send]) -> None:
        self._cluster.send(lambda store: store.listeners.posted(effects), node)

    def _keep(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Keep):
                self._cluster.chats[effect.message.room_id].append(effect.message)

    async def ask(self, node: str, message: bytes) -> bytes:
        answer: asyncio.Future[bytes] = self._loop.create_future()

        async def work(store: NodeStore) -> None:
            found = await store._answer(self.node, message)
            self._cluster.send(lambda _: answer.done() or answer.set_result(found), self.node)

        self._cluster.send(lambda store: store._spawn(work(store)), node)
        async with asyncio.timeout(1):
            return await answer

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def inherited(self) -> Inherited:
        return Inherited()

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        return self._cluster.chats[room][-limit:], False

    async def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        return []

    async def purge(self, now: datetime) -> None:
        pass

    async def returned(self) -> None:
        if not self.alive:
            await self._loop.create_future()

    async def close(self) -> None:
        self.alive = False


class Nodes:
    """The servers of a cluster: `nodes.url[0]`, `nodes.store[1]`."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.servers: list[Any] = []
        self.store: list[NodeStore] = []

    @property
    def url(self) -> list[str]:
        return [server.url for server in self.servers]

    async def ended(self, id: str) -> None:
        """Wait until nobody has this id any more."""
        async with asyncio.timeout(10):
            while await self.store[-1].session(id):  # noqa: ASYNC110 - no message says so
                await asyncio.sleep(0.01)
