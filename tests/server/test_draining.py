"""A server that is stopped: nobody new, everybody told, and nobody has left."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from roomcall_server import service


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first nobody is told until something else makes it so."""
    monkeypatch.setattr(service, "_BETWEEN_GOODBYES", 3600.0)


async def test_one_after_the_other_and_nobody_new(
    connect_to: Any, serve: Any, slowly: None
) -> None:
    async with serve(drain_seconds=3600) as server:
        ann, ben = await connect_to(server.url), await connect_to(server.url)
        draining = asyncio.create_task(server.service.drain())
        told, other = await _first_told(server, ann, ben)
        assert await told.closed() == 1001
        assert await other.ask("ping") == {"type": "pong"}
        async with aiohttp.ClientSession() as session:
            async with session.get(server.url + "/readyz") as answer:
                assert (answer.status, await answer.json()) == (503, {"status": "shutting down"})
            async with session.get(server.url + "/healthz") as answer:
                assert answer.status == 200
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect_to(server.url, f"?resume={told.hello['resumeToken']}")
        assert refused.value.status == 503
        draining.cancel()  # as a second SIGTERM does
        _, code = await asyncio.gather(server.service.close(), other.closed())
        assert code == 1001


async def _first_told(server: Any, *wires: Any) -> list[Any]:
    """Who is told first comes first."""
    while not any(connection.close_code for connection in server.service.connections):  # noqa: ASYNC110
        await asyncio.sleep(0)
    told = {c.id for c in server.service.context.clients if c.connection.close_code}
    return sorted(wires, key=lambda wire: wire.id not in told)


async def test_all_are_told_within_the_time(connect_to: Any, serve: Any, slowly: None) -> None:
    async with serve(drain_seconds=0.3) as server:
        wires = [await connect_to(server.url) for _ in range(30)]
        ends = [asyncio.create_task(wire.closed()) for wire in wires]
        async with asyncio.timeout(10):
            await server.service.drain()
            assert await asyncio.gather(*ends) == [1001] * 30


async def test_who_was_told_first_does_not_leave_before_the_last(
    connect_to: Any, serve: Any, slowly: None, tmp_path: Path
) -> None:
    """However long it takes, the next server has everybody."""
    store = f"sqlite:///{tmp_path}/rooms.db"
    async with serve(store=store, resume_grace=0.1, drain_seconds=0.6) as first:
        ann, ben, cem = [await connect_to(first.url) for _ in range(3)]
        room = await ann.create()
        await ben.join(room)
        await cem.join(room)
    async with serve(store=store, drain_seconds=0) as second:
        for old in (ann, ben, cem):
            new = await connect_to(second.url, f"?resume={old.hello['resumeToken']}")
            assert (new.hello["resumed"], new.id) == (True, old.id)
        seen = (await new.ask("get-room", {"roomId": room}))["room"]
        assert seen["participants"] == [ann.id, ben.id, cem.id]
