"""While nothing can be kept: clients are told so, and whatever was told before stays true."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from roomcall.errors import ServerUnreachable
from roomcall.signaling.room import JoinOptions, RoomClient
from roomcall_server.store import database, sqlite


@pytest.fixture
def hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Another program takes the file of the store, until its transaction ends."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.1)
    monkeypatch.setattr(sqlite, "PROBE_EVERY", 0.1)
    other: list[sqlite3.Connection] = []

    def hold() -> sqlite3.Connection:
        other.append(sqlite3.connect(tmp_path / "rooms.db", isolation_level=None))
        other[-1].execute("BEGIN IMMEDIATE")
        return other[-1]

    yield hold
    for connection in other:
        connection.close()


ADMIN = "an admin token that is long enough"


async def status(url: str, **what: Any) -> int:
    """Of `/readyz`, or of what is asked of `/api/rooms`."""
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        if what:
            async with session.post(f"{url}/api/rooms", json=what) as response:
                return response.status
        async with session.get(f"{url}/readyz") as response:
            return response.status


async def ready(url: str) -> None:
    async with asyncio.timeout(20):
        while await status(url) != 200:  # noqa: ASYNC110 - no message says so
            await asyncio.sleep(0.05)


async def test_what_cannot_be_kept_is_not_told(
    connect_to: Any, serve: Any, tmp_path: Path, hold: Any
) -> None:
    store = f"sqlite:///{tmp_path}/rooms.db"
    async with serve(store=store, resume_grace=2.5, admin_token=ADMIN) as server:
        ann, ben, cem = [await connect_to(server.url) for _ in range(3)]
        room = await ann.create()
        await ben.join(room)
        await ann.hear("member-joined")
        assert await status(server.url) == 200
        other = hold()
        await cem.say("join-room", {"roomId": room})
        await ann.say("chat", "lost", roomId=room)
        errors = [await cem.hear("error"), await ann.hear("error")]
        assert [error["code"] for error in errors] == ["internal", "internal"]
        assert await status(server.url) == 503
        assert await status(server.url, name="hall") == 503
        # At once now; and what needs nothing kept goes on.
        assert await ann.refused("update-room", {"roomId": room, "locked": True}) == "internal"
        await ben.say("ice-candidate", {"candidate": ""}, roomId=room, to=ann.id)
        await ann.hear("ice-candidate")
        seen = (await ann.ask("get-room", {"roomId": room}))["room"]
        assert seen["participants"] == [ann.id, ben.id]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect_to(server.url)
        assert refused.value.status == 503
        with pytest.raises(ServerUnreachable, match="try again later"):
            await RoomClient(server.url, room, JoinOptions()).connect()
        # Who is lost meanwhile cannot come back: its time begins when it can.
        ben.cut()
        await cem.socket.close()
        await asyncio.sleep(2.6)  # longer than the grace
        assert await status(server.url) == 503
        other.execute("ROLLBACK")
        await ready(server.url)
        ben = await connect_to(server.url, f"?resume={ben.hello['resumeToken']}")
        assert ben.hello["resumed"] is True
        assert await ann.types() == []
        assert (await ann.ask("chat", "kept", roomId=room))["id"] == 1
        assert (await ben.hear("chat"))["payload"] == "kept"
        async with asyncio.timeout(20):  # who has said goodbye meanwhile is gone by now
            while await server.service.context.store.session(cem.id):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
