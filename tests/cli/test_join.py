"""`roomcall join`: peers that are processes of their own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec import structs

import roomcall
from roomcall.protocol import codec, replies
from roomcall.protocol.room import Member, Metadata, Room, RoomState


async def test_it_leaves_after_its_duration(start: Any, room_server: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    run = await start("join", "standup", "--server", room_server.url, "--duration", "0.5", "--json")
    left = await ann.wait_for(roomcall.MemberLeft, timeout=30)
    assert left.reason == "left"
    assert await run.ended() == 0
    assert run.events[0]["event"] == "joined"
    assert run.events[-1]["reason"] == "duration"
    times = [event["t"] for event in run.events]
    assert times == sorted(times)


async def test_sigterm_leaves_in_good_order(start: Any, room_server: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    run = await start("join", "standup", "--server", room_server.url, "--json")
    await run.event("joined")
    run.process.send_signal(signal.SIGTERM)
    assert await run.ended() == 0
    assert (await ann.wait_for(roomcall.MemberLeft, timeout=20)).reason == "left"


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Lets everybody in, and answers nothing more."""
    member = Member("a", "", "host", datetime.now(UTC))
    room = Room("r", "standup", datetime.now(UTC), "a", 0, ["a"], Metadata(), RoomState.ACTIVE)

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = replies.ClientId(
            id="a", protocol=1, features=[], ice_servers=[], limits=replies.Limits(65536, 8)
        )
        await socket.send_str(codec.encode(hello).decode())
        join = codec.decode_request((await socket.receive()).data)
        joined = replies.RoomJoined(
            room=structs.replace(room, members=[member]), request_id=join.request_id
        )
        await socket.send_str(codec.encode(joined).decode())
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/ws", serve)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_a_second_sigint_aborts_with_130(start: Any) -> None:
    # This server lets nobody go: it answers a join, then nothing more.
    async with silent_server() as url:
        run = await start("join", "standup", "--server", url, "--json")
        await run.event("joined")
        run.process.send_signal(signal.SIGINT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run.process.wait(), 0.5)
        run.process.send_signal(signal.SIGINT)
        assert await run.ended() == 130


async def test_expected_peers_that_do_not_come_are_5(start: Any, room_server: Any) -> None:
    options = ["--server", room_server.url, "--expect-peers", "1", "--json"]
    run = await start("join", "standup", "--timeout", "0.5", *options)
    assert await run.ended() == 5
    assert run.errors.startswith("Error: connected to 0 of 1 expected peers")
    assert run.errors.count("\n") == 1
    assert run.events[-1]["event"] == "left"


async def test_expected_peers_that_come(start: Any, room_server: Any, peer: Any) -> None:
    await peer("standup", name="ann")
    options = ["--server", room_server.url, "--expect-peers", "1", "--timeout", "20", "--json"]
    run = await start("join", "standup", *options)
    await run.event("peer-connected", name="ann")
    assert await run.interrupted() == 0


async def test_an_end_before_expected_peers_came_is_5_but_a_signal_is_0(
    start: Any, room_server: Any
) -> None:
    options = ["join", "standup", "--server", room_server.url, "--expect-peers", "1", "--json"]
    run = await start(*options, "--duration", "0.3")
    assert await run.ended() == 5
    run = await start(*options)
    await run.event("joined")
    assert await run.interrupted() == 0


async def test_a_server_that_ends_is_3(start: Any) -> None:
    server = await start("serve", "--port", "0", "--json")
    url = (await server.event("listening"))["url"]
    run = await start("join", "standup", "--server", url, "--reconnect-for", "0.5", "--json")
    await run.event("joined")
    server.process.kill()
    assert await run.ended() == 3
    assert run.seen("signaling-lost")
    assert run.events[-1]["reason"] == "server-lost"
    assert run.errors.startswith("Error: ") and run.errors.count("\n") == 1


async def test_what_others_call_themselves_moves_no_cursor(
    start: Any, room_server: Any, peer: Any
) -> None:
    name = "ann\u202e"
    ann = await peer("standup", name=name)
    run = await start("join", "standup", "--server", room_server.url)
    while "connected in" not in (line := await run.line()):
        assert line, run.errors
    await ann.chat("\u2066\r\u202e hello")
    while "hello" not in (line := await run.line()):
        assert line, run.errors
    assert await run.interrupted() == 0
    assert "ann" in "".join(run.lines)
    assert not set("".join(run.lines)) & set("\x1b\x07\r\u202e\u2066")


@pytest.mark.parametrize("look", ["--json", "--no-loop"])
async def test_a_reader_that_goes_away_ends_it(room_server: Any, peer: Any, look: str) -> None:
    script = 'roomcall join standup --server "$0" --stats-interval 0.1 "$1" | head -n 1'
    process = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", script, room_server.url, look),
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(50):
        assert "standup" in (await process.stdout.readline()).decode()
        await peer("standup", name="ann")  # there is something to say again
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


async def test_a_full_disk_is_2(start: Any, room_server: Any) -> None:
    options = ("--server", room_server.url, "--json")
    full = os.open("/dev/full", os.O_WRONLY)
    run = await start("join", "standup", *options, stdout=full)
    os.close(full)
    assert await run.ended() == 2
    assert "No space left" in run.errors and run.errors.count("\n") == 1


async def test_quiet_is_quiet(start: Any, room_server: Any) -> None:
    run = await start("-q", "join", "standup", "--server", room_server.url, "--duration", "0.2")
    assert await run.ended() == 0
    assert (run.lines, run.errors) == ([], "")
