"""What every store must do: one suite for all of them. A store joins it by a line in `STORES`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from roomcall.protocol.replies import ChatMessage, RoomStateChanged
from roomcall.protocol.room import Metadata, RoomState
from roomcall_server.clients.session import Session
from roomcall_server.rooms.outcome import Keep, Send
from roomcall_server.rooms.room import Room
from roomcall_server.store.base import Commit, Listeners, RoomWrite, SessionWrite, Store
from roomcall_server.store.memory import MemoryStore
from roomcall_server.store.redis.store import RedisStore
from roomcall_server.store.sqlite import SqliteStore

NOW = datetime(2026, 1, 22, tzinfo=UTC)
HISTORY = 10  # chat messages that a room keeps


async def memory(folder: Path, redis_url: str) -> Store:
    return MemoryStore(HISTORY)


async def sqlite(folder: Path, redis_url: str) -> Store:
    return await SqliteStore.open(folder / "rooms.db", HISTORY)


async def redis(folder: Path, redis_url: str) -> Store:
    return await RedisStore.open(redis_url, HISTORY)


# Each makes a store that is empty and keeps `HISTORY`.
STORES: list[Any] = [
    memory,
    sqlite,
    pytest.param(redis, marks=pytest.mark.system("redis-server")),
]


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, redis_url: str
) -> AsyncIterator[Store]:
    store: Store = await request.param(tmp_path, redis_url)
    yield store
    await store.close()


class Told:
    """What a store delivers, in its order. Some do so a little later than they have written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sends: asyncio.Queue[Send] = asyncio.Queue()
        store.listen(Listeners(self._deliver))

    def _deliver(self, effects: Sequence[Send]) -> None:
        for effect in effects:
            self._sends.put_nowait(effect)

    async def sends(self) -> list[Send]:
        """All of them up to now."""
        end = send("the end of it")
        await self._store.publish([end])
        found: list[Send] = []
        async with asyncio.timeout(5):
            while (effect := await self._sends.get()) != end:
                found.append(effect)
        return found

    async def texts(self) -> list[str]:
        return [effect.message.room_id for effect in await self.sends()]  # type: ignore[attr-defined]


@pytest.fixture
def told(store: Store) -> Told:
    return Told(store)


def send(text: str, *to: str) -> Send:
    """An effect that can be told from others."""
    return Send(to or ("somebody",), RoomStateChanged(room_id=text, state=RoomState.ACTIVE))


def keep(room: str, number: int) -> Keep:
    message = ChatMessage(room_id=room, sender="ann", payload=f"{number}", id=number, sent_at=NOW)
    return Keep(message)


def new_room(name: str = "den", *, private: bool = False, after: float = 0, **fields: Any) -> Room:
    """A room that is in no store yet. `after`: so many seconds later than others."""
    return Room(
        id=fields.pop("id", None) or str(uuid4()),
        name=name,
        created_at=NOW + timedelta(seconds=after),
        metadata=Metadata(private=private),
        **fields,
    )


def new_session(**fields: Any) -> Session:
    return Session(id=fields.pop("id", None) or str(uuid4()), max_rooms=8, **fields)


Write = Callable[..., Awaitable[Any]]


@pytest.fixture
def write(store: Store) -> Write:
    """Commits one change of a room or a session, and returns the record as it is now."""

    async def write(
        before: Room | Session | None, after: Room | Session | None, *effects: Any, **how: Any
    ) -> Room | Session | None:
        change = after if after is not None else before
        assert change is not None
        if isinstance(change, Session):
            sessions = (SessionWrite(before, after),)  # type: ignore[arg-type]
            await store.commit(Commit(sessions=sessions, effects=effects))
            return await store.session(change.id)
        rooms = (RoomWrite(before, after, **how),)  # type: ignore[arg-type]
        await store.commit(Commit(rooms=rooms, effects=effects))
        return await store.room(change.id)

    return write


def renamed(room: Room, name: str) -> Room:
    return replace(room, name=name)
