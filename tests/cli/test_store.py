"""`roomcall serve --store sqlite:///FILE`, killed and started again."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import roomcall
from roomcall.protocol import replies
from roomcall.signaling.base import MemberGone, MemberHere, Restored
from roomcall.signaling.room import JoinOptions, RoomClient
from tests.cli.conftest import COMMAND

KILLS = 2

Serve = Callable[[], Awaitable[Any]]


@pytest.fixture
async def serve(start: Any, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts the server: each goes on from where the one before was killed, at its address."""
    port = 0

    async def serve() -> Any:
        nonlocal port
        store = f"sqlite:///{tmp_path}/rooms.db"
        run = await start(
            *("serve", "--port", port, "--store", store, "--resume-grace", "60", "--json")
        )
        port = (await run.event("listening"))["port"]
        run.url = f"http://127.0.0.1:{port}"
        return run

    yield serve


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roomcall.signaling.client.LONGEST_WAIT", 0.2)


async def killed(run: Any) -> None:
    run.process.kill()
    await run.process.wait()


async def test_a_call_outlives_a_kill(serve: Serve, peer: Any) -> None:
    server = await serve()
    small = {"server": server.url, "video": "testsrc", "video_size": (160, 120), "fps": 10}
    calls = [await peer("den", name=name, **small) for name in ("ann", "bob", "cem")]
    for call in calls:
        for other in calls:
            if other is not call:
                them = call.peers[other.id]
                await call.wait_for(roomcall.FirstFrame, 25, kind="video", peer=them)
    await calls[1].chat("before")
    ids = [call.id for call in calls]
    peers = [dict(call.peers) for call in calls]
    await killed(server)
    await serve()
    for call in calls:
        back = await call.wait_for(roomcall.SignalingRestored, 25)
        assert (back.resumed, back.renamed) == (True, {})
    assert [call.id for call in calls] == ids
    for call, before in zip(calls, peers, strict=True):
        looked = await call.wait_for(roomcall.RoomUpdated, 25)
        assert (looked.room.host, looked.room.participants) == (ids[0], ids)
        assert looked.room.state == "IN_CALL"
        assert dict(call.peers) == before
    await calls[2].chat("after")
    for call in calls:
        assert (await call.wait_for(roomcall.ChatReceived, 25, text="after")).id == 2
        await call.leave()
        seen = [type(event) for event in [event async for event in call]]
        assert seen.count(roomcall.PeerConnected) == 2  # they are the same connections
        # Those who left before it at the end, and nobody at the kill.
        lost = seen.index(roomcall.SignalingLost)
        assert roomcall.PeerLeft not in seen[: seen.index(roomcall.ChatReceived, lost)]


class Talker:
    """Says one thing after the other, and keeps what it hears."""

    def __init__(self, client: RoomClient) -> None:
        self.client = client
        self.heard: dict[int, str] = {}
        self.enough = asyncio.Event()
        self.gone: list[Any] = []
        self.restored: list[Restored] = []

    async def talk(self) -> None:
        number = 0
        while True:
            number += 1
            try:
                await self.client.chat(f"{self.client.id} {number}")
            except roomcall.ServerUnreachable:
                continue  # it may have been said or not

    async def listen(self) -> None:
        async for event in self.client:
            match event:
                case replies.ChatMessage(id=int(id), payload=text):
                    assert self.heard.setdefault(id, text) == text
                    if len(self.heard) % 50 == 0:
                        self.enough.set()
                case MemberGone() | MemberHere() if self.restored:
                    self.gone.append(event)
                case Restored():
                    self.restored.append(event)


async def test_what_was_told_is_kept_however_it_is_killed(serve: Serve) -> None:
    server = await serve()
    talkers = []
    for name in ("ann", "bob", "cem"):
        client = RoomClient(server.url, "den", JoinOptions(name))
        await client.connect()
        talkers.append(Talker(client))
    ids = [talker.client.id for talker in talkers]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for t in talkers for work in (t.talk(), t.listen())]
        for _ in range(KILLS):
            for talker in talkers:
                talker.enough.clear()
                async with asyncio.timeout(25):
                    await talker.enough.wait()
            await killed(server)
            server = await serve()
        for talker in talkers:
            talker.enough.clear()
            async with asyncio.timeout(25):
                await talker.enough.wait()
        for task in tasks:
            task.cancel()
    kept = {message.id: message.payload for message in await talkers[0].client.history(1000)}
    for talker in talkers:
        assert [back.resumed for back in talker.restored] == [True] * KILLS
        assert talker.gone == []
        told = {id: text for id, text in talker.heard.items() if id >= min(kept)}
        assert told.items() <= kept.items()
        await talker.client.close()
    assert [talker.client.id for talker in talkers] == ids
    assert list(kept) == list(range(min(kept), max(kept) + 1))
    assert len(set(kept.values())) == len(kept)  # none of them twice


async def test_where_nothing_can_be_kept_it_does_not_start(start: Any, tmp_path: Path) -> None:
    run = await start("serve", "--port", "0", "--store", f"sqlite:///{tmp_path}/none/rooms.db")
    full = await asyncio.create_subprocess_exec(  # for files of more than nothing there is no room
        *("bash", "-c", 'ulimit -f 0; exec "$0" serve --port 0 --store "$1"'),
        *(str(COMMAND), f"sqlite:///{tmp_path}/rooms.db"),
        stderr=asyncio.subprocess.PIPE,
    )
    said = (await full.communicate())[1].decode()
    for code, errors in ((await run.ended(), run.errors), (full.returncode, said)):
        assert code == 2
        assert errors.startswith("Error: ") and f"{tmp_path}" in errors
        assert errors.count("\n") == 1
    assert "no folder" in run.errors and "full" in said


async def test_where_no_redis_is_it_does_not_start(start: Any) -> None:
    run = await start("serve", "--port", "0", "--store", "redis://ann:geheim@127.0.0.1:1/0")
    assert await run.ended() == 2
    assert run.errors.startswith("Error: redis://127.0.0.1:1/0 cannot be used")
    assert run.errors.count("\n") == 1
    assert "geheim" not in run.errors


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process")
async def test_a_disk_that_is_full(serve: Serve) -> None:
    server = await serve()
    pid = server.process.pid
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{server.url}/ws") as socket:
        await socket.receive_json(timeout=10)

        async def ask(text: str) -> dict[str, Any]:
            await socket.send_json({"type": "create-room", "payload": {"name": text}})
            answer: dict[str, Any] = await socket.receive_json(timeout=10)
            return answer

        async def ready() -> bool:
            async with session.get(f"{server.url}/readyz") as answer:
                return answer.status == 200

        assert (await ask("one"))["type"] == "room-created" and await ready()
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
        assert (await ask("two"))["code"] == "internal"
        assert not await ready()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        async with asyncio.timeout(25):
            while not await ready():  # noqa: ASYNC110 - no message says so
                await asyncio.sleep(0.05)
        assert (await ask("two"))["type"] == "room-created"
