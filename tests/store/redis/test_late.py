"""Calls that come to Redis late, and replies that do not come."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from roomcall_server.store.base import StoreAway, StoreUncertain
from tests.redis import RedisServer
from tests.store.conftest import new_room, send
from tests.store.redis.conftest import Enter, making, work

pytestmark = pytest.mark.system("redis-server")


class Way:
    """Between a node and its Redis: it may hold what one of them says, on the connections that
    there are."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[Any] = []
        self._held: list[Callable[[], Awaitable[None]]] = []
        self.holds: str | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: Any, writer: Any) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends += (writer, forth)
        for what, source, target in (("calls", reader, forth), ("replies", back, writer)):
            task = asyncio.create_task(self._pass(what, source, target))
            self._tasks.add(task)

    async def _pass(self, what: str, source: Any, target: Any) -> None:
        held: list[bytes] = []
        holds = False
        while data := await source.read(65536):
            holds = holds or self.holds == what
            if not holds:
                target.write(data)
                continue
            held.append(data)
            if len(held) == 1:
                self._held.append(lambda: self._release(held, target))
        if not holds:
            target.close()

    async def _release(self, held: list[bytes], target: Any) -> None:
        target.writelines(held)
        await target.drain()

    async def release(self) -> None:
        for release in self._held:
            await release()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server.close()
        for end in self._ends:
            end.transport.abort()


@pytest.fixture
async def way(redis: RedisServer) -> AsyncIterator[Way]:
    way = Way(redis.port)
    await way.open()
    yield way
    await way.close()


async def test_a_call_that_comes_late_is_refused(
    enter: Enter, way: Way, redis: RedisServer, quick: None
) -> None:
    """Who was told that nothing has happened was told the truth, whatever was still on its way."""
    ann, ben = await enter(f"redis://127.0.0.1:{way.port}"), await enter(redis.url)
    way.holds = "calls"
    late = asyncio.create_task(ann.store.commit(making(new_room("late"))))
    await ann.away()
    way.holds = None
    with pytest.raises(StoreAway) as away:
        await late
    assert not isinstance(away.value, StoreUncertain)
    await ann.back()
    await way.release()
    await work((ann, ben))
    assert await ben.store.room_named("late") is None
    await ann.store.commit(making(new_room("late")))


async def test_a_reply_that_never_comes(
    enter: Enter, way: Way, redis: RedisServer, quick: None
) -> None:
    """It has happened, and the stream says so."""
    ann, ben = await enter(f"redis://127.0.0.1:{way.port}"), await enter(redis.url)
    await ann.sees(lambda: len(ann.store._life._nodes) == 1)
    way.holds = "replies"
    room = new_room("made")
    made = asyncio.create_task(ann.store.commit(making(room, effects=(send("made"),))))
    await ben.knows(room)
    assert not made.done()
    await ann.away()
    way.holds = None
    await made
    assert ann.told == ["made"]
    assert await ann.store.room(room.id) == await ben.store.room(room.id)
