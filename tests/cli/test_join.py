"""`roomcall join`: peers that are processes of their own."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec import structs

import roomcall
import roomcall_server
from roomcall.protocol import codec, replies, requests
from roomcall.protocol.room import Member, Metadata, Room, RoomState
from roomcall.signaling.client import ServerClient
from roomcall.testing.media import make_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(
        tmp_path_factory.mktemp("video") / "cam.mp4", seconds=2, fps=15, size=(320, 240)
    )


async def test_three_with_a_file_see_and_hear_each_other(
    start: Any, room_server: Any, video: Path
) -> None:
    names = ["ann", "bob", "cem"]
    options = ["--server", room_server.url, "--video", video, "--json"]
    runs = [await start("join", "standup", "--name", name, *options) for name in names]
    for run, name in zip(runs, names, strict=True):
        for other in set(names) - {name}:
            for kind in ("video", "audio"):
                if not seen(run, "first-frame", name=other, kind=kind):
                    await run.event("first-frame", name=other, kind=kind)
            picture = seen(run, "first-frame", name=other, kind="video")[0]
            assert (picture["width"], picture["height"]) == (320, 240)
            assert len(seen(run, "peer-connected", name=other)) == 1
        stats = await run.event("stats")
        assert len(stats["peers"]) == 2
    for run in runs:
        assert await run.interrupted() == 0
        assert run.events[-1]["event"] == "left"
        assert run.events[-1]["reason"] == "interrupted"
        assert run.errors == ""
    assert sum(event["created"] for run in runs for event in seen(run, "joined")) == 1


def seen(run: Any, event: str, **fields: Any) -> list[dict[str, Any]]:
    return [e for e in run.events if e.items() >= {"event": event, **fields}.items()]


async def test_it_leaves_after_its_duration(start: Any, room_server: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    run = await start("join", "standup", "--server", room_server.url, "--duration", "0.5", "--json")
    left = await ann.wait_for(roomcall.MemberLeft, timeout=15)
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
    assert (await ann.wait_for(roomcall.MemberLeft, timeout=5)).reason == "left"


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


async def test_refused_is_4_with_the_code(start: Any, room_server: Any, peer: Any) -> None:
    run = await start("join", "standup", "--server", room_server.url, "--no-create")
    assert await run.ended() == 4
    assert "room-not-found" in run.errors and run.errors.count("\n") == 1
    await peer("full", max_participants=1)
    run = await start("join", "full", "--server", room_server.url)
    assert await run.ended() == 4
    assert "room-full" in run.errors


async def test_waiting_for_a_place(start: Any, room_server: Any, peer: Any) -> None:
    ann = await peer("full", max_participants=1)
    options = ["--server", room_server.url, "--wait-if-full", "--json"]
    run = await start("join", "full", *options)
    impatient = await start("join", "full", *options)
    places = [(await waits.event("queued"))["position"] for waits in (run, impatient)]
    assert sorted(places) == [1, 2]
    first, second = (run, impatient) if places[0] == 1 else (impatient, run)
    assert await second.interrupted() == 0
    await ann.leave()
    await first.event("joined")
    assert await first.interrupted() == 0
    assert len(seen(first, "queued")) == 1


async def test_what_a_host_does_to_others(
    start: Any, room_server: Any, host: Any, video: Path
) -> None:
    ask, room = host
    options = ["--server", room_server.url, "--json", "--video", video]
    removed = await start("join", room, *options)
    stays = await start("join", room, *options)
    id = (await removed.event("joined"))["id"]
    await stays.event("first-frame", kind="video")
    muted = (await stays.event("joined"))["id"] if not seen(stays, "joined") else None
    muted = muted or seen(stays, "joined")[0]["id"]
    payload = requests.MuteMemberPayload(room_id=room, member_id=muted, kind="video")
    await ask(requests.MuteMember(payload=payload))
    assert (await stays.event("muted"))["kind"] == "video"
    payload = requests.RemoveMemberPayload(room_id=room, member_id=id, reason="too loud")
    await ask(requests.RemoveMember(payload=payload))
    assert await removed.ended() == 4
    assert seen(removed, "removed")[0]["reason"] == "too loud"
    assert removed.events[-1]["reason"] == "removed"
    assert "removed" in removed.errors and removed.errors.count("\n") == 1
    await ask(requests.CloseRoom(payload=requests.RoomRef(room_id=room)))
    assert await stays.ended() == 0
    assert seen(stays, "room-closed")
    assert stays.events[-1]["reason"] == "room-closed"


@pytest.fixture
async def host(room_server: Any) -> AsyncIterator[Any]:
    """The host of a room, without media: how it asks for something, and the room's id."""
    async with ServerClient(room_server.url) as client:
        made = requests.CreateRoomPayload(name="standup")
        room = (await client.request(requests.CreateRoom(payload=made), replies.RoomCreated)).room

        async def ask(request: requests.Request) -> replies.Reply:
            return await client.request(request, replies.Reply)

        yield ask, room.id


async def test_a_password_by_each_of_its_ways(start: Any, room_server: Any, tmp_path: Path) -> None:
    options = ["--server", room_server.url, "--json"]
    file = tmp_path / "password"
    file.write_text("sesame\n")
    ann = await start("join", "vault", *options, "--password-file", file)
    await ann.event("joined")
    bob = await start("join", "vault", *options, "--password", "sesame", "--expect-peers", "1")
    await bob.event("peer-connected")
    wrong = await start("join", "vault", *options, "--password", "mellon")
    assert await wrong.ended() == 4
    assert "wrong-password" in wrong.errors and "mellon" not in wrong.errors
    nobody_to_ask = await start("join", "vault", *options, "--password-prompt")
    assert await nobody_to_ask.ended() == 2
    assert "--password-file" in nobody_to_ask.errors
    environment = {"ROOMCALL_PASSWORD": "sesame"}
    cem = await start("join", "vault", *options, environment=environment)
    await cem.event("joined")
    for run in (ann, bob, cem):
        assert await run.interrupted() == 0


async def test_a_token(start: Any) -> None:
    secret = "a secret of at least thirty-two bytes"
    async with roomcall_server.serve(jwt_secret=secret) as server:
        token = jwt.encode({"sub": "ann", "exp": time.time() + 60}, secret, algorithm="HS256")
        run = await start("join", "standup", "--server", server.url, "--token", token, "--json")
        await run.event("joined")
        assert await run.interrupted() == 0
        run = await start("join", "standup", "--server", server.url)
        assert await run.ended() == 4
        assert "unauthorized" in run.errors


async def test_a_server_that_ends_is_3(start: Any) -> None:
    server = await start("serve", "--port", "0", "--json")
    url = (await server.event("listening"))["url"]
    run = await start("join", "standup", "--server", url, "--reconnect-for", "0.5", "--json")
    await run.event("joined")
    server.process.kill()
    assert await run.ended() == 3
    assert seen(run, "signaling-lost")
    assert run.events[-1]["reason"] == "server-lost"
    assert run.errors.startswith("Error: ") and run.errors.count("\n") == 1


async def test_private_says_how_to_join(start: Any, room_server: Any) -> None:
    run = await start("join", "standup", "--server", room_server.url, "--private")
    lines = []
    while not lines or "Join with" not in lines[-1]:
        lines.append(await run.line())
        assert lines[-1], run.errors
    command = lines[-1].removeprefix("Join with: roomcall ").split()
    guest = await start(*command, "--expect-peers", "1", "--json")
    await guest.event("peer-connected")
    assert await guest.interrupted() == 0
    assert await run.interrupted() == 0


async def test_what_others_call_themselves_moves_no_cursor(
    start: Any, room_server: Any, peer: Any
) -> None:
    name = "ann\x1b[2J\u202e\r"
    ann = await peer("standup", name=name)
    run = await start("join", "standup", "--server", room_server.url)
    while "connected in" not in (line := await run.line()):
        assert line, run.errors
    await ann.chat("\x1b]0;owned\x07 hello")
    while "hello" not in (line := await run.line()):
        assert line, run.errors
    assert await run.interrupted() == 0
    assert "ann" in "".join(run.lines)
    assert not set("".join(run.lines)) & set("\x1b\x07\r\u202e")


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
    async with asyncio.timeout(20):
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
