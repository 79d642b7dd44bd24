"""Nodes of a store in Redis, each with what it has told and heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from roomcall_server.clients.session import Session
from roomcall_server.rooms.outcome import Send
from roomcall_server.rooms.room import Room
from roomcall_server.store.base import Commit, Listeners, RoomWrite, SessionWrite, StoreAway
from roomcall_server.store.redis import life, link
from roomcall_server.store.redis.store import RedisStore
from tests.redis import RedisServer
from tests.store.conftest import HISTORY, new_room, new_session

WAIT = 20.0


class Node:
    """A store, and what it has called of its listeners."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.told: list[str] = []
        self.changed: list[tuple[str, bool]] = []
        self.buried: list[str] = []
        self.lost = 0
        store.listen(Listeners(self._deliver, self._change, self._bury, self._lose, self._deliver))

    def _deliver(self, effects: Sequence[Send]) -> None:
        self.told += [getattr(effect.message, "room_id", "") for effect in effects]

    def _change(
        self, rooms: Sequence[RoomWrite], sessions: Sequence[SessionWrite], mine: bool
    ) -> None:
        writes: list[Any] = [*rooms, *sessions]
        self.changed += [((write.after or write.before).id, mine) for write in writes]

    def _bury(self, node: str) -> None:
        self.buried.append(node)

    def _lose(self) -> None:
        self.lost += 1

    async def sees(self, condition: Callable[[], bool]) -> None:
        """Until it is so."""
        async with asyncio.timeout(WAIT):
            while not condition():  # noqa: ASYNC110 - of many things nobody tells
                await asyncio.sleep(0.01)

    async def knows(self, record: Room | Session) -> None:
        """Until it has this record."""
        if isinstance(record, Room):
            await self.sees(lambda: record.id in self.store._rooms)
        else:
            await self.sees(lambda: record.id in self.store._sessions)

    async def away(self) -> None:
        await self.sees(lambda: not self.store.available)

    async def back(self) -> None:
        async with asyncio.timeout(WAIT):
            await self.store.returned()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds takes less of them; but nobody is taken for dead."""
    for name, seconds in (("BEAT", 0.1), ("STUCK", 0.5), ("RETRY", 0.05), ("TIMEOUT", 0.5)):
        monkeypatch.setattr(life, name, seconds)
    monkeypatch.setattr(link, "TIMEOUT", 0.5)
    monkeypatch.setattr(life, "LEASE", 600.0)


@pytest.fixture
def mortal(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node is dead after a second and a half."""
    monkeypatch.setattr(life, "LEASE", 1.5)
    monkeypatch.setattr(life, "HOLE", 1.0)


Enter = Callable[..., Awaitable[Node]]
Two = tuple[Node, Node]


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """A new node at this URL; it leaves with the test."""
    nodes: list[Node] = []

    async def enter(url: str, history: int = HISTORY) -> Node:
        nodes.append(Node(await RedisStore.open(url, history)))
        return nodes[-1]

    yield enter
    for node in nodes:
        await node.store.close()


@pytest.fixture
async def two(redis: RedisServer, enter: Enter, quick: None) -> Two:
    """Two nodes at the test's own Redis."""
    return await enter(redis.url), await enter(redis.url)


@asynccontextmanager
async def raw(redis: RedisServer) -> AsyncIterator["Redis"]:
    """An operator's connection."""
    client = Redis.from_url(redis.url)
    try:
        yield client
    finally:
        await client.aclose()


async def work(two: Two) -> None:
    """All is well: what each commits, the other has."""
    for one, other in (two, two[::-1]):
        await one.back()
        room = new_room(f"made by {one.store.node}, {len(one.changed)}")
        async with asyncio.timeout(WAIT):
            while True:
                try:
                    await one.store.commit(making(room))
                    break
                except StoreAway:  # it has gone away again meanwhile
                    await one.store.returned()
        await other.knows(room)
    states = [[sorted(await node.store.rooms(), key=lambda room: room.id)] for node in two]
    assert states[0] == states[1]


def making(*rooms: Any, **how: Any) -> Commit:
    return Commit(rooms=tuple(RoomWrite(None, room) for room in rooms), **how)


async def session_at(node: Node, **fields: Any) -> Session:
    """Of a client that this node has."""
    session = new_session(node=node.store.node, **fields)
    await node.store.commit(Commit(sessions=(SessionWrite(None, session),)))
    return session
