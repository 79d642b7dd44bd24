"""One member's end of a room: entering, waiting for a place, talking, being shown out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from roomcall.errors import ProtocolError, Refused, ServerUnreachable
from roomcall.protocol import codec, replies, requests
from roomcall.protocol.replies import ClientId, Limits
from roomcall.signaling.base import Signaling
from roomcall.signaling.client import MAX_PENDING_EVENTS, ServerClient
from roomcall.signaling.room import JoinOptions, RoomClient

HELLO = ClientId(id="a", protocol=1, features=[], ice_servers=[], limits=Limits(500, 8))

Waiter = tuple[RoomClient, "asyncio.Queue[int]", "asyncio.Task[str]"]


async def waiting(url: str, name: str, **options: Any) -> Waiter:
    """A client that waits for a place, the positions that it is told, and its joining."""
    client = RoomClient(url, "standup", JoinOptions(name, wait_if_full=True, **options))
    positions: asyncio.Queue[int] = asyncio.Queue()
    client.on_queued = positions.put_nowait
    return client, positions, asyncio.create_task(client.connect())


async def position(positions: "asyncio.Queue[int]") -> int:
    return await asyncio.wait_for(positions.get(), 10)


async def test_it_is_a_signaling(enter: Any, room_server: Any) -> None:
    assert isinstance(await enter(room_server.url), Signaling)


async def test_who_made_the_room_knows(enter: Any, room_server: Any) -> None:
    ann, bob = await enter(room_server.url), await enter(room_server.url)
    assert (ann.created, bob.created) == (True, False)
    secret = await enter(room_server.url, private=True)
    assert secret.created and secret.room.id != ann.room.id
    guest = await enter(room_server.url, secret.room.id)
    assert not guest.created and guest.room.id == secret.room.id


async def test_a_place_comes_to_who_waited_longest(enter: Any, room_server: Any) -> None:
    ann = await enter(room_server.url, max_participants=1)
    bob, of_bob, bob_joining = await waiting(room_server.url, "bob")
    assert await position(of_bob) == 1
    cem, of_cem, cem_joining = await waiting(room_server.url, "cem")
    assert await position(of_cem) == 2
    await ann.close()
    assert await asyncio.wait_for(bob_joining, 10) == bob.id
    assert bob.room is not None and bob.room.participants == [bob.id]
    assert await position(of_cem) == 1
    await bob.close()
    assert await asyncio.wait_for(cem_joining, 10) == cem.id
    await cem.close()


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_break_while_waiting(
    enter: Any, room_server: Any, way: Any, forgotten: bool
) -> None:
    ann = await enter(room_server.url, max_participants=1)
    bob, of_bob, joining = await waiting(way.url, "bob")
    assert await position(of_bob) == 1
    if forgotten:
        service = room_server.service
        (client,) = [c for c in service.context.clients if c.id != ann.id]
        client.outbox.after = lambda count: None
    way.cut()
    if forgotten:
        assert await position(of_bob) == 1  # asked again, as somebody new
    await ann.close()
    assert await asyncio.wait_for(joining, 10) == bob.id
    await bob.close()


async def test_waiting_ends_with_the_room_or_its_password(enter: Any, room_server: Any) -> None:
    ann = await enter(room_server.url, max_participants=1)
    _, of_bob, joining = await waiting(room_server.url, "bob")
    await position(of_bob)
    change = requests.UpdateRoomPayload(room_id=ann.room.id, password="sesame")
    await ann._client.request(requests.UpdateRoom(payload=change), replies.RoomUpdated)
    with pytest.raises(Refused) as refused:
        await joining
    assert refused.value.code == "wrong-password"
    _, of_cem, joining = await waiting(room_server.url, "cem", password="sesame")
    await position(of_cem)
    close = requests.CloseRoom(payload=requests.RoomRef(room_id=ann.room.id))
    await ann._client.request(close, replies.RoomClosed)
    with pytest.raises(Refused) as refused:
        await joining
    assert refused.value.code == "room-closed"


async def test_giving_up_the_wait_leaves_the_queue(enter: Any, room_server: Any) -> None:
    ann = await enter(room_server.url, max_participants=1)
    _, of_bob, joining = await waiting(room_server.url, "bob")
    await position(of_bob)
    joining.cancel()
    await asyncio.wait([joining])
    async with asyncio.timeout(10):
        while len(room_server.service.context.clients) > 1:
            await ann.chat("still there?")
    info = requests.GetRoom(payload=requests.RoomRef(room_id=ann.room.id))
    assert (await ann._client.request(info, replies.RoomInfo)).room.queue_length == 0


async def test_history_is_read_page_by_page(enter: Any, room_server: Any) -> None:
    ann = await enter(room_server.url)
    for number in range(230):
        await ann.chat(str(number))
    assert [message.id for message in await ann.history(1000)] == list(range(1, 231))
    assert [message.payload for message in await ann.history(150)] == list(map(str, range(80, 230)))
    assert await ann.history(0) == []


async def test_what_is_too_big_is_not_sent(enter: Any, room_server: Any) -> None:
    ann = await enter(room_server.url)
    with pytest.raises(Refused) as refused:
        await ann.send("somebody", {"type": "offer", "payload": {"sdp": "x" * 70_000}})
    assert refused.value.code == "payload-too-large"
    with pytest.raises(Refused) as refused:
        await ann.chat("x" * 5000)
    assert refused.value.code == "payload-too-large"
    await ann.chat("still here")


Serve = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def other_server(serve: Serve) -> AsyncIterator[str]:
    """Something at `/ws` that is no roomcall server."""

    async def websocket(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await serve(socket)
        return socket

    app = web.Application()
    app.router.add_get("/ws", websocket)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize(
    ("greeting", "error", "text"),
    [
        ("hello", ProtocolError, "does not begin with client-id"),
        ('{"type": "welcome"}', ProtocolError, "does not begin with client-id"),
        ('{"type": "client-id", "id": 5}', ProtocolError, "does not begin with client-id"),
        (None, ServerUnreachable, "closed the connection"),
    ],
)
async def test_a_stranger_is_told_from_a_server(
    greeting: str | None, error: type[Exception], text: str
) -> None:
    async def serve(socket: web.WebSocketResponse) -> None:
        if greeting is not None:
            await socket.send_str(greeting)
        await socket.close()

    async with other_server(serve) as url:
        with pytest.raises(error, match=text):
            await RoomClient(url, "standup", JoinOptions()).connect()


async def test_what_cannot_be_understood_is_passed_over(caplog: Any) -> None:
    async def serve(socket: web.WebSocketResponse) -> None:
        for frame in (codec.encode(HELLO).decode(), "no json", '{"type": "news"}', '{"type": 5}'):
            await socket.send_str(frame)
        await socket.send_bytes(b"binary")
        await socket.send_str(codec.encode(replies.RoomClosed(room_id="r")).decode())
        await socket.receive()

    async with other_server(serve) as url, ServerClient(url) as client:
        assert await anext(client) == replies.RoomClosed(room_id="r")
    assert "no message" in caplog.text


async def test_a_reader_that_is_slow_makes_the_server_wait_and_loses_nothing() -> None:
    count = 50 * MAX_PENDING_EVENTS
    sent = 0

    async def serve(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        await socket.send_str(codec.encode(HELLO).decode())
        for number in range(count):
            text = f"{number} " + "x" * 400
            await socket.send_str(codec.encode(replies.RoomClosed(room_id=text)).decode())
            sent += 1
        await socket.receive()

    async with other_server(serve) as url, ServerClient(url) as client:
        first = await anext(client)
        before = -1
        while sent > before:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.05)
        assert sent < count
        heard = [first] + [await anext(client) for _ in range(count - 1)]
    numbers = [int(event.room_id.split()[0]) for event in heard]  # type: ignore[union-attr]
    assert numbers == list(range(count))


async def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roomcall.signaling.client.REPLY_TIMEOUT", 0.2)

    async def serve(socket: web.WebSocketResponse) -> None:
        await socket.send_str(codec.encode(HELLO).decode())
        while not (await socket.receive()).type.value & 8:
            pass

    async with other_server(serve) as url:
        with pytest.raises(ServerUnreachable, match="does not answer"):
            await RoomClient(url, "standup", JoinOptions()).connect()


async def test_where_there_is_doubt_the_server_is_asked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("roomcall.signaling.client.PONG_TIMEOUT", 0.5)
    asked: list[str] = []
    answered = asyncio.Event()

    async def serve(socket: web.WebSocketResponse) -> None:
        await socket.send_str(codec.encode(HELLO).decode())
        async for message in socket:
            asked.append(message.data)
            if len(asked) == 1:
                await socket.send_str('{"type": "pong"}')
                answered.set()

    async with other_server(serve) as url, ServerClient(url, patience=0) as client:
        lost = asyncio.create_task(anext(client))
        await asyncio.sleep(0)  # it listens
        client.check()
        client.check()
        async with asyncio.timeout(10):
            await answered.wait()
            while len(asked) < 2:
                await asyncio.sleep(0.05)
                client.check()
            with pytest.raises(ServerUnreachable, match="fallen silent"):
                await lost
    assert asked == ['{"type":"ping"}'] * 2


async def test_a_silent_line_is_lost_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roomcall.signaling.client.QUIET_TIMEOUT", 0.1)
    monkeypatch.setattr("roomcall.signaling.client.PONG_TIMEOUT", 0.5)
    asked: list[str] = []

    async def serve(socket: web.WebSocketResponse) -> None:
        await socket.send_str(codec.encode(HELLO).decode())
        asked.append((await socket.receive()).data)
        if len(asked) == 1:
            await socket.send_str('{"type": "pong"}')
            asked.append((await socket.receive()).data)
        await socket.receive()

    async with other_server(serve) as url, ServerClient(url, patience=0) as client:
        with pytest.raises(ServerUnreachable, match="fallen silent"):
            await anext(client)
    assert asked == ['{"type":"ping"}'] * 2


async def test_a_token_beside_a_user_in_the_address_is_refused_in_a_line() -> None:
    """Both would be the one header `Authorization`."""
    client = RoomClient("http://ann:secret@127.0.0.1:1", "standup", JoinOptions(token="t"))
    with pytest.raises(ServerUnreachable, match="not both") as raised:
        await client.connect()
    assert "secret" not in str(raised.value)
