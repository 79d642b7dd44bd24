"""Our client and a server that comes back with its store: the same client, over a gap."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import roomcall_server
from roomcall.errors import ServerUnreachable
from roomcall.protocol import replies
from roomcall.signaling.base import Lost, MemberGone, MemberHere, Restored, Signal
from roomcall.signaling.room import JoinOptions, RoomClient
from tests.breakable import BreakableWay
from tests.signaling.test_resume import events_of, hear


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roomcall.signaling.client.LONGEST_WAIT", 0.2)


class Ways:
    """To a server that is there now and then. Nobody gets through until it is there again."""

    def __init__(self) -> None:
        self.port = 0
        self.ways: list[BreakableWay] = []

    async def make(self) -> BreakableWay:
        way = BreakableWay(f"http://127.0.0.1:{self.port}")
        await way.open()
        self.ways.append(way)
        return way

    def block(self, blocked: bool) -> None:
        for way in self.ways:
            way.blocked = blocked
            if blocked:
                way.cut()


Serve = Callable[[], AbstractAsyncContextManager[roomcall_server.Server]]


@pytest.fixture
async def ways() -> AsyncIterator[Ways]:
    ways = Ways()
    yield ways
    for way in ways.ways:
        await way.close()


@pytest.fixture
def serve(ways: Ways, tmp_path: Path) -> Serve:
    """One server after the other, at the same address and with the same store."""

    @asynccontextmanager
    async def serve() -> AsyncIterator[roomcall_server.Server]:
        store = f"sqlite:///{tmp_path}/rooms.db"
        async with roomcall_server.serve(port=ways.port, store=store) as server:
            ways.port = server.port
            ways.block(False)
            yield server
            ways.block(True)

    return serve


async def test_the_same_room_with_the_same_ids(enter: Any, ways: Ways, serve: Serve) -> None:
    async with serve():
        way = await ways.make()
        ann, bob = await enter(way.url, name="ann"), await enter(way.url, name="bob")
        ids, room = (ann.id, bob.id), ann.room.id
        await bob.chat("before")
        of_ann, of_bob = events_of(ann), events_of(bob)
    await hear(of_ann, Lost)
    await hear(of_bob, Lost)
    said = asyncio.create_task(ann.chat("meanwhile"))
    await ann.send(bob.id, {"type": "hangup", "payload": {"number": 1}})
    async with serve():
        assert await hear(of_ann, Restored) == Restored(True, ann.id, gap=True)
        assert await hear(of_bob, Restored) == Restored(True, bob.id, gap=True)
        assert (await said).id == 2
        seen = []
        async with asyncio.timeout(10):
            async for event in of_bob:
                seen.append(event)
                if isinstance(event, Signal):
                    break
        assert not [e for e in seen if isinstance(e, MemberGone | MemberHere | replies.Removed)]
        assert (ann.id, bob.id) == ids and ann.room.id == room
        assert ann.room.host == ann.id
        assert [m.payload for m in await bob.history(10)] == ["before", "meanwhile"]
        await ann.close()
        await bob.close()


async def test_what_may_have_arrived_is_not_said_again(
    enter: Any, ways: Ways, serve: Serve
) -> None:
    """A request without a reply may have been done or not: it fails."""
    async with serve() as server:
        way = await ways.make()
        ann = await enter(way.url)
        of_ann = events_of(ann)
        (client,) = server.service.context.clients
        sent = asyncio.Event()
        client.connection.send = lambda frame: sent.set()  # and it goes no further
        doubtful = asyncio.create_task(ann.chat("once"))
        async with asyncio.timeout(10):
            await sent.wait()
    await hear(of_ann, Lost)
    async with serve():
        assert (await hear(of_ann, Restored)).gap
        with pytest.raises(ServerUnreachable, match="before it answered"):
            await doubtful
        assert [message.payload for message in await ann.history(10)] == ["once"]
        way.cut()  # a break like any other from now on
        assert await hear(of_ann, Restored) == Restored(True, ann.id)
        assert (await ann.chat("twice")).id == 2
        await ann.close()


async def test_who_has_gone_and_come_in_the_gap(enter: Any, ways: Ways, serve: Serve) -> None:
    async with serve():
        way, others = await ways.make(), await ways.make()
        ann, bob = await enter(way.url, name="ann"), await enter(others.url, name="bob")
        of_ann = events_of(ann)
        assert (await hear(of_ann, MemberHere)).id == bob.id
        way.blocked = True
        way.cut()
        await hear(of_ann, Lost)
        cem = await enter(others.url, name="cem")
        await bob.close()
    async with serve():
        assert (await hear(of_ann, Restored)).gap
        room = (await hear(of_ann, replies.RoomUpdated)).room
        assert [member.display_name for member in room.members] == ["ann", "cem"]
        assert await hear(of_ann, MemberGone) == MemberGone(bob.id, "disconnected")
        assert await hear(of_ann, MemberHere) == MemberHere(cem.id, "cem")
        await ann.close()
        await cem.close()


async def test_a_place_in_the_queue(enter: Any, ways: Ways, serve: Serve) -> None:
    async with serve():
        way = await ways.make()
        ann = await enter(way.url, max_participants=1)
        of_ann = events_of(ann)
        bob = RoomClient(way.url, "standup", JoinOptions("bob", wait_if_full=True))
        queued = asyncio.Event()
        bob.on_queued = lambda position: queued.set()
        joining = asyncio.create_task(bob.connect())
        await asyncio.wait_for(queued.wait(), 10)
    async with serve():
        assert (await hear(of_ann, Restored)).gap
        await ann.close()
        await joining
        assert bob.room.participants == [bob.id]
        await bob.close()
