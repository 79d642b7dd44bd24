"""Clients that are slow, and a thousand that vanish: the others feel nothing, and nothing stays."""

import asyncio
import resource
from typing import Any

import pytest

from tests.server.raw import TEXT, UPGRADE, connection, masked

CROWD, TABLE = 1000, 10  # how many vanish, and how many of them are in one room


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """A byte every 10 ms, as long as anybody takes it."""
    for byte in data:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.01)


async def dropped(reader: asyncio.StreamReader) -> None:
    """Wait until the server has ended it."""
    async with asyncio.timeout(10):
        try:
            while await reader.read(1000):
                pass
        except ConnectionResetError:
            pass


@pytest.mark.parametrize("request_bytes", [b"", UPGRADE[:-4] + b"\r\nX: y" * 1000])
async def test_a_request_that_takes_too_long(
    serve: Any, connect_to: Any, monkeypatch: pytest.MonkeyPatch, request_bytes: bytes
) -> None:
    monkeypatch.setattr("roomcall_server.app.REQUEST_TIMEOUT", 0.3)
    async with serve() as server, connection(server) as (reader, writer):
        other = await connect_to(server.url)
        dripping = asyncio.create_task(drip(writer, request_bytes))
        end = asyncio.create_task(dropped(reader))
        while not end.done():
            assert await other.ask("ping") == {"type": "pong"}
            await asyncio.wait([end], timeout=0.05)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_message_that_takes_too_long(serve: Any, connect_to: Any) -> None:
    """Within a frame nobody can answer a ping."""
    async with (
        serve(ping_interval=0.05, ping_timeout=1.0, resume_grace=0.1, rate_messages=0) as server,
        connection(server) as (reader, writer),
    ):
        other = await connect_to(server.url)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        dripping = asyncio.create_task(drip(writer, masked(TEXT, b" " * 10_000)))
        end = asyncio.create_task(dropped(reader))
        while not end.done():
            assert await other.ask("ping") == {"type": "pong"}
            await asyncio.wait([end], timeout=0.05)
        async with asyncio.timeout(10):
            while len(server.service.context.clients) > 1:
                await other.ask("ping")
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


@pytest.fixture
def many_descriptors() -> Any:
    """Both ends of all sockets are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * CROWD + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"needs {needed} open files; this system allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
async def test_a_thousand_that_vanish_at_once(serve: Any, connect_to: Any) -> None:
    async with serve(resume_grace=0.5, rate_messages=0) as server:
        witness = await connect_to(server.url)
        writers: list[asyncio.StreamWriter] = []

        async def sit_down(number: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writers.append(writer)
            wanted = f'{{"name":"{number // TABLE}","create":true}}'
            join = f'{{"type":"join-room","payload":{wanted}}}'.encode()
            writer.write(UPGRADE + masked(TEXT, join))
            await reader.readuntil(b"room-joined")

        for first in range(0, CROWD, 100):
            await asyncio.gather(*map(sit_down, range(first, first + 100)))
        rows = (await witness.ask("list-rooms", {"limit": 1000}))["rooms"]
        assert [row["participantCount"] for row in rows] == [TABLE] * (CROWD // TABLE)
        await witness.join(rows[0]["id"])
        for writer in writers:
            writer.transport.abort()
        gone = set()
        while len(gone) < TABLE:
            if (message := await witness.hear())["type"] == "member-left":
                assert message["reason"] == "disconnected"
                gone.add(message["memberId"])
        async with asyncio.timeout(20):
            while len(server.service.context.clients) > 1:
                await witness.backlog()
        await witness.backlog()
        (row,) = (await witness.ask("list-rooms"))["rooms"]
        assert row["id"] == rows[0]["id"]
        room = (await witness.ask("get-room", {"roomId": row["id"]}))["room"]
        assert (room["participants"], room["host"]) == ([witness.id], witness.id)
        assert await server.service.context.store.room_count() == 1
