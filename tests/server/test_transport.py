"""Sockets: what is too big, of the wrong kind, too slow or silent; origins; start and end."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

import roomcall_server
from roomcall_server.clients.connection import QueueLimits
from tests.server.raw import TEXT, UPGRADE, masked


@pytest.mark.parametrize("excess", [0, 1, 1000, 5_000_000])
async def test_the_biggest_message_and_one_that_is_bigger(
    connect_to: Any, server: Any, excess: int
) -> None:
    wire = await connect_to(server.url)
    message = '{"type":"ping","x":"' + "x" * (65_536 - 22 + excess) + '"}'
    assert len(message) == 65_536 + excess
    await wire.socket.send_str(message)
    if excess:
        assert await wire.closed() == 1009
    else:
        assert await wire.hear() == {"type": "pong"}


async def test_size_is_counted_in_bytes(connect_to: Any, server: Any) -> None:
    wire = await connect_to(server.url)
    await wire.socket.send_str('{"type":"ping","x":"' + "\N{SNOWMAN}" * 25_000 + '"}')
    assert await wire.closed() == 1009


async def test_not_utf8(connect: Any) -> None:
    wire, other = await connect(), await connect()
    room = await wire.create()
    await other.join(room)
    await wire.socket.send_frame(b'{"type": "\xff"}', aiohttp.WSMsgType.TEXT)
    assert await wire.closed() == 1007
    assert (await other.hear("member-left"))["reason"] == "disconnected"


async def test_a_binary_frame(connect: Any) -> None:
    wire = await connect()
    await wire.socket.send_bytes(b'{"type": "ping"}')
    error = await wire.hear("error")
    assert (error["code"], error["request"]) == ("bad-request", None)
    assert await wire.types() == []


async def test_a_ping_of_the_client_is_answered(connect: Any) -> None:
    wire = await connect(autoping=False)
    await wire.socket.ping(b"are you there")
    pong = await wire.socket.receive(5)
    assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_the_clients_goodbye_is_answered(connect: Any) -> None:
    wire = await connect()
    await wire.socket.close(code=1000)
    assert wire.socket.close_code == 1000


async def test_a_client_that_answers_no_ping_is_dropped(connect_to: Any, serve: Any) -> None:
    async with serve(
        ping_interval=0.05,
        ping_timeout=1.0,  # a machine that is busy may need a part of it for an answer
        resume_grace=0,
    ) as server:
        silent, other = await connect_to(server.url, autoping=False), await connect_to(server.url)
        room = await silent.create()
        await other.join(room)
        await silent.hear("member-joined")
        ping = await silent.socket.receive(5)
        assert ping.type is aiohttp.WSMsgType.PING
        left = await other.hear("member-left")
        assert (left["memberId"], left["reason"]) == (silent.id, "disconnected")
        assert await other.hear("host-changed")
        # Whoever answers stays: as long again, and longer.
        answered = await other.ask("ping")
        assert answered == {"type": "pong"}


async def test_a_slow_reader_is_closed_and_nobody_else_feels_it(
    connect_to: Any, serve: Any
) -> None:
    limits = QueueLimits(soft=10_000, hard=1 << 30, stall=0.2, close_timeout=0.2)
    async with serve(queue=limits, rate_messages=0) as server, stuck(server) as slow:
        a, b = await connect_to(server.url), await connect_to(server.url)
        room = await a.create()
        await b.join(room)
        await slow.join(room)
        text = "x" * 4000
        async with asyncio.timeout(20):
            while True:
                said = await a.ask("chat", text, roomId=room)
                while said["type"] != "chat":
                    if said["type"] == "member-left":
                        assert said["reason"] == "disconnected"
                        return
                    said = await a.hear()
                heard = await b.hear()
                assert heard["type"] in ("chat", "member-joined", "member-left")


async def test_past_the_hard_bound_it_is_closed_at_once(connect_to: Any, serve: Any) -> None:
    limits = QueueLimits(soft=10_000, hard=500_000, stall=60.0, close_timeout=10.0)
    async with serve(queue=limits, rate_messages=0) as server, stuck(server) as slow:
        a = await connect_to(server.url)
        room = await a.create()
        await slow.join(room)
        await a.hear("member-joined")
        text = "x" * 4000
        async with asyncio.timeout(20):
            while (await a.ask("chat", text, roomId=room))["type"] == "chat":
                pass
        assert await slow.close_code() == 4008
        await a.socket.close()


async def test_past_the_bound_for_all_the_fullest_is_closed(connect_to: Any, serve: Any) -> None:
    limits = QueueLimits(hard=1 << 30, total=1_000_000, stall=60.0, close_timeout=10.0)
    async with (
        serve(queue=limits, rate_messages=0) as server,
        stuck(server) as fullest,
        stuck(server) as other,
    ):
        a = await connect_to(server.url)
        room = await a.create()
        await fullest.join(room)
        await a.hear("member-joined")
        text = "x" * 4000
        for _ in range(2000):  # more than the sockets themselves hold
            await a.ask("chat", text, roomId=room)
            if any(c.waiting > 100_000 for c in server.service.connections):
                break
        await other.join(room)
        assert (await a.hear())["type"] == "member-joined"
        async with asyncio.timeout(20):
            while (said := await a.ask("chat", text, roomId=room))["type"] == "chat":
                pass
        assert said["type"] == "member-left"
        assert await fullest.close_code() == 4008
        info = await a.ask("get-room", {"roomId": room})
        while info["type"] != "room-info":
            info = await a.hear()
        assert len(info["room"]["participants"]) == 2
        await a.socket.close()


class Stuck:
    """A client that reads nothing until it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def join(self, room: str) -> None:
        message = f'{{"type":"join-room","payload":{{"roomId":"{room}"}}}}'.encode()
        self._writer.write(masked(TEXT, message))
        await self._writer.drain()

    async def close_code(self) -> int:
        """Read all that there is. The code of the close at its end."""
        end = b""
        async with asyncio.timeout(20):
            while end[-4:-2] != b"\x88\x02":
                data = await self._reader.read(65_536)
                assert data, "it ends without a close"
                end = (end + data)[-4:]
        return int.from_bytes(end[-2:], "big")

    def cut(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def stuck(server: roomcall_server.Server) -> AsyncIterator[Stuck]:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1000)
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    client = Stuck(reader, writer)
    try:
        yield client
    finally:
        client.cut()


async def test_shutdown_closes_with_1001(connect_to: Any, serve: Any) -> None:
    async with serve() as server:
        wires = [await connect_to(server.url) for _ in range(3)]
        room = await wires[0].create()
        await wires[1].join(room)
        closed = [asyncio.create_task(wire.closed()) for wire in wires]
        await asyncio.sleep(0)
    assert await asyncio.gather(*closed) == [1001] * 3


async def test_a_client_that_does_not_answer_holds_the_shutdown_up_for_a_bounded_time() -> None:
    limits = QueueLimits(close_timeout=0.1)
    async with asyncio.timeout(10):
        running = roomcall_server.serve(queue=limits, rate_messages=0)
        async with stuck(await running.__aenter__()):
            await running.__aexit__(None, None, None)


async def test_origins(connect_to: Any, server: Any, serve: Any) -> None:
    own = server.url
    for origin in (None, own):
        headers = {"Origin": origin} if origin else {}
        assert (await connect_to(server.url, headers=headers)).id
    for origin in ("http://evil.example", "null", f"{own}.evil.example"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect_to(server.url, headers={"Origin": origin})
        assert refused.value.status == 403
    async with serve(allow_origins=["http://app.example"]) as open_server:
        await connect_to(open_server.url, headers={"Origin": "http://app.example"})
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await connect_to(open_server.url, headers={"Origin": "http://evil.example"})


async def test_a_full_server(connect_to: Any, serve: Any) -> None:
    async with serve(max_clients=1) as server:
        first = await connect_to(server.url)
        second = await connect_to(server.url, greeted=False)
        frame = await second.socket.receive(5)
        assert frame.type is aiohttp.WSMsgType.CLOSE
        assert frame.data == 4013
        await first.socket.close()
        async with asyncio.timeout(20):  # its place is free when the server has seen that
            third = frame
            while third.type is not aiohttp.WSMsgType.TEXT:
                wire = await connect_to(server.url, greeted=False)
                third = await wire.socket.receive()


async def test_health(server: Any) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(server.url + path) as answer:
                assert answer.status == 200
        async with session.get(server.url + "/healthz") as answer:
            assert await answer.json() == {"status": "ok"}
        async with session.get(server.url + "/ws") as answer:
            assert answer.status == 400


async def test_not_ready_while_it_shuts_down() -> None:
    limits = QueueLimits(close_timeout=10.0)
    async with roomcall_server.serve(queue=limits) as server, stuck(server) as slow:
        closing = asyncio.create_task(server.service.close())
        async with aiohttp.ClientSession() as session:
            async with session.get(server.url + "/readyz") as answer:
                assert answer.status == 503
            async with session.get(server.url + "/healthz") as answer:
                assert answer.status == 200
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(server.url + "/ws")
            assert refused.value.status == 503
        assert await slow.close_code() == 1001
        slow.cut()
        await closing


async def test_a_port_in_use_is_a_clear_error(server: Any) -> None:
    with pytest.raises(roomcall_server.StartError, match=f"127.0.0.1:{server.port}"):
        async with roomcall_server.serve(port=server.port):
            pass


@pytest.mark.parametrize(
    "settings",
    [
        {"zork": 1},
        {"store": "zork"},
        {"stun_urls": "stun:x"},
        {"stun_urls": ["http://x"]},
        {"turn_urls": ["turn:x"]},
        {"max_message_bytes": 0},
        {"max_rooms": -1},
    ],
)
async def test_a_setting_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(roomcall_server.ConfigError, match=next(iter(settings))):
        async with roomcall_server.serve(**settings):
            pass


async def test_query_strings_are_never_logged(
    connect_to: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire = await connect_to(server.url, "?token=hush")
    await wire.socket.close()
    own = [record for record in caplog.records if not record.name.startswith("asyncio")]
    assert own
    assert "hush" not in caplog.text
