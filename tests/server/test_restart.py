"""A server that was killed and comes back with its store: to clients, a connection that breaks."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import roomcall_server

Serve = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def kept(serve: Any, tmp_path: Path) -> Serve:
    """Servers with one file after the other: each goes on from what a kill would have left of the
    one before, which is still there."""
    count = 0

    def start(**config: Any) -> Any:
        nonlocal count
        count += 1
        for end in ("", "-wal"):
            old = Path(f"{tmp_path}/{count - 1}.db{end}")
            if old.exists():
                Path(f"{tmp_path}/{count}.db{end}").write_bytes(old.read_bytes())
        return serve(store=f"sqlite:///{tmp_path}/{count}.db", **config)

    return start


def token(wire: Any) -> str:
    return f"?resume={wire.hello['resumeToken']}"


async def test_all_is_back_and_nobody_saw_a_leave(connect_to: Any, kept: Serve) -> None:
    closes_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    async with kept() as first:
        ann, ben, cem, dan = [await connect_to(first.url) for _ in range(4)]
        room = await ann.create("den", maxParticipants=2, password="x", closesAt=closes_at)
        await dan.join(room, password="x")
        assert (await ann.hear("member-joined"))["memberId"] == dan.id
        await ann.ask("remove-member", {"roomId": room, "memberId": dan.id, "ban": True})
        await dan.hear("removed")
        await ben.join(room, password="x")
        await ann.hear("member-joined")
        waits = {"roomId": room, "password": "x", "waitIfFull": True}
        await cem.ask("join-room", waits)
        await ben.ask("set-media-state", {"roomId": room, "audioMuted": True})
        await ann.hear("member-updated")
        for text in ("one", "two"):
            await ann.ask("chat", text, roomId=room)
        await ann.say("offer", {"sdp": "…"}, roomId=room, to=ben.id)
        await ben.hear("chat"), await ben.hear("chat"), await ben.hear("offer")
        before = (await ann.ask("get-room", {"roomId": room}))["room"]
        gone = await dan.create("gone")
        await dan.ask("close-room", {"roomId": gone})
        async with kept() as second:
            ids = [wire.id for wire in (ann, ben, cem)]
            ann, ben, cem = [
                await connect_to(second.url, f"{token(wire)}&received=1")
                for wire in (ann, ben, cem)
            ]
            for id, wire in zip(ids, (ann, ben, cem), strict=True):
                assert (wire.id, wire.hello["resumed"], wire.hello["gap"]) == (id, True, True)
                assert "received" not in wire.hello
                assert await wire.types() == []
            assert (await ann.ask("get-room", {"roomId": room}))["room"] == before
            assert before["host"] == ann.id and before["queueLength"] == 1
            # An answer to an offer of before makes a call.
            await ben.say("answer", {"sdp": "…"}, roomId=room, to=ann.id)
            await ann.hear("answer")
            assert (await ann.hear("room-state"))["state"] == "IN_CALL"
            await ben.hear("room-state")
            assert (await ben.ask("chat", "three", roomId=room))["id"] == 3
            assert (await ann.hear("chat"))["id"] == 3
            history = await ann.ask("chat-history", {"roomId": room})
            assert [message["payload"] for message in history["messages"]] == [
                "one",
                "two",
                "three",
            ]
            dan = await connect_to(second.url, token(dan))
            assert await dan.refused("join-room", waits) == "banned"
            assert await dan.refused("join-room", {"roomId": gone}) == "room-not-found"
            again = {"roomId": gone, "name": "x", "create": True}
            assert await dan.refused("join-room", again) == "room-not-found"
            await ben.ask("leave-room", {"roomId": room})
            assert (await cem.hear("room-joined"))["room"]["participants"] == [ann.id, cem.id]


async def test_a_second_break_after_the_gap(connect_to: Any, kept: Serve) -> None:
    """What the server has sent since it came back is not lost; until it has heard the client, it
    cannot know that the client has heard of the gap."""
    async with kept() as first:
        ann, ben = await connect_to(first.url), await connect_to(first.url)
        room = await ann.create()
        await ben.join(room)
        await ann.hear("member-joined")
        async with kept() as second:
            ben = await connect_to(second.url, f"{token(ben)}&received=1")
            await ben.ask("chat", "while you were away", roomId=room)
            # It has heard two messages, and counts on.
            ann = await connect_to(second.url, f"{token(ann)}&received=2")
            assert (await ann.hear("chat"))["payload"] == "while you were away"
            ann.cut()
            ann = await connect_to(second.url, f"{token(ann)}&received=2")
            assert ann.hello["gap"] is True
            assert (await ann.hear("chat"))["payload"] == "while you were away"
            await ann.ask("get-room", {"roomId": room})
            ann.cut()
            ann = await connect_to(second.url, f"{token(ann)}&received=3")
            assert (ann.hello["resumed"], ann.hello["received"]) == (True, 1)
            assert "gap" not in ann.hello
            assert (await ann.hear("room-info"))["room"]["id"] == room
            assert await ben.types() == []


async def test_who_does_not_come_back_has_left(connect_to: Any, kept: Serve) -> None:
    async with kept() as first:
        ann, ben = await connect_to(first.url), await connect_to(first.url)
        room = await ann.create()
        await ben.join(room)
        async with kept(resume_grace=1.5) as second:
            ben = await connect_to(second.url, token(ben))
            left = await ben.hear("member-left")
            assert (left["memberId"], left["reason"]) == (ann.id, "disconnected")
            assert (await ben.hear("host-changed"))["host"] == ben.id
            ann = await connect_to(second.url, token(ann))
            assert ann.hello["resumed"] is False
        async with kept(resume_grace=0) as third:  # and who is alone leaves an empty room
            async with asyncio.timeout(20):
                while await third.service.context.store.room(room):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


async def test_a_server_that_is_stopped_in_good_order(
    connect_to: Any, serve: Any, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/rooms.db"
    async with serve(store=store) as first:
        ann = await connect_to(first.url)
        room = await ann.create()
    async with serve(store=store) as second:
        ann = await connect_to(second.url, token(ann))
        assert ann.hello["resumed"] is True
        assert (await ann.ask("get-room", {"roomId": room}))["room"]["host"] == ann.id


async def test_a_room_whose_time_came_meanwhile_closes(connect_to: Any, kept: Serve) -> None:
    async with kept() as first:
        ann = await connect_to(first.url)
        soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        room = await ann.create(closesAt=soon)
        async with kept() as second:
            await ann.hear("room-closed")  # by the first, to which it is still connected
            ann = await connect_to(second.url, token(ann))
            assert (await ann.hear("room-closed"))["roomId"] == room


async def test_no_token_is_in_the_file(connect_to: Any, serve: Any, tmp_path: Path) -> None:
    async with serve(store=f"sqlite:///{tmp_path}/rooms.db") as server:
        ann = await connect_to(server.url)
        content = content_of(tmp_path)
        assert ann.id.encode() in content
        assert ann.hello["resumeToken"].encode() not in content


def content_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("store", ["sqlite:///", "sqlite:rooms.db", "postgres://x", ""])
async def test_a_store_that_there_is_not(serve: Any, store: str) -> None:
    with pytest.raises(roomcall_server.ConfigError, match="sqlite:///FILE"):
        async with serve(store=store):
            pass
