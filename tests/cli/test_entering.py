"""`roomcall join`: who gets in, who waits, and what a host does to those who are in."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

import roomcall_server
from roomcall.protocol import replies, requests
from roomcall.signaling.client import ServerClient
from roomcall.testing.media import make_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "cam.mp4"
    return make_video(path, seconds=2, fps=15, size=(320, 240))


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
    assert len(first.seen("queued")) == 1


async def test_what_a_host_does_to_others(
    start: Any, room_server: Any, host: Any, video: Path
) -> None:
    ask, room = host
    options = ["--server", room_server.url, "--json", "--video", video]
    removed = await start("join", room, *options)
    stays = await start("join", room, *options)
    id = (await removed.event("joined"))["id"]
    await stays.event("first-frame", kind="video")
    muted = (await stays.event("joined"))["id"] if not stays.seen("joined") else None
    muted = muted or stays.seen("joined")[0]["id"]
    payload = requests.MuteMemberPayload(room_id=room, member_id=muted, kind="video")
    await ask(requests.MuteMember(payload=payload))
    assert (await stays.event("muted"))["kind"] == "video"
    payload = requests.RemoveMemberPayload(room_id=room, member_id=id, reason="too loud")
    await ask(requests.RemoveMember(payload=payload))
    assert await removed.ended() == 4
    assert removed.seen("removed")[0]["reason"] == "too loud"
    assert removed.events[-1]["reason"] == "removed"
    assert "removed" in removed.errors and removed.errors.count("\n") == 1
    await ask(requests.CloseRoom(payload=requests.RoomRef(room_id=room)))
    assert await stays.ended() == 0
    assert stays.seen("room-closed")
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
