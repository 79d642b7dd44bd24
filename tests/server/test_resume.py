"""Connections that break, and clients that come back: nothing lost, nothing doubled."""

import asyncio
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.protocol.outbox import Outbox


@given(st.lists(st.integers(0, 40)), st.integers(1, 10), st.integers(1, 100))
def test_an_outbox_against_a_list(sizes: list[int], frames: int, space: int) -> None:
    outbox = Outbox(frames, space)
    sent: list[bytes] = []
    for number, size in enumerate(sizes):
        frame = bytes([number % 256]) * size
        sent.append(frame)
        outbox.add(frame)
        for received in range(len(sent) + 2):
            missed = outbox.after(received)
            if received > len(sent):
                assert missed is None
            elif missed is not None:
                assert missed == sent[received:]
            else:
                rest = sent[received:]
                assert len(rest) > frames or sum(map(len, rest)) > space


def test_what_is_acknowledged_is_not_kept() -> None:
    outbox = Outbox(10, 1000)
    for number in range(5):
        outbox.add(b"%d" % number)
    outbox.acknowledge(3)
    assert outbox.after(2) is None
    assert outbox.after(3) == [b"3", b"4"]
    outbox.acknowledge(99)
    assert outbox.after(5) == []


class Steady:
    """A client that counts, breaks and resumes, as the protocol asks of one."""

    def __init__(self, connect_to: Any, url: str) -> None:
        self._connect_to = connect_to
        self.url = url
        self.wire: Any = None
        self.received = 0

    async def start(self) -> "Steady":
        self.wire = await self._connect_to(self.url)
        return self

    @property
    def id(self) -> str:
        return str(self.wire.id)

    async def hear(self, type: str | None = None) -> dict[str, Any]:
        message: dict[str, Any] = await self.wire.hear(type)
        self.received += 1
        return message

    async def resume(self, *, with_count: bool = True) -> None:
        query = f"?resume={self.wire.hello['resumeToken']}"
        if with_count:
            query += f"&received={self.received}"
        self.wire = await self._connect_to(self.url, query)


async def steady_in(connect_to: Any, url: str, room: str) -> Steady:
    """One that is in the room."""
    client = await Steady(connect_to, url).start()
    await client.wire.say("join-room", {"roomId": room})
    await client.hear("room-joined")
    return client


@pytest.fixture
async def pair(connect_to: Any, server: Any) -> Any:
    """One that breaks and one that watches, in a room."""
    steady = await Steady(connect_to, server.url).start()
    other = await connect_to(server.url)
    room = await other.create()
    await steady.wire.say("join-room", {"roomId": room})
    await steady.hear("room-joined")
    await other.hear("member-joined")
    return steady, other, room


@pytest.mark.parametrize("with_count", [True, False])
async def test_who_comes_back_has_missed_nothing_and_nobody_saw_a_leave(
    pair: Any, server: Any, with_count: bool
) -> None:
    steady, other, room = pair
    old_id, old_token = steady.id, steady.wire.hello["resumeToken"]
    await lose(steady, server)
    for number in range(5):
        await other.ask("chat", str(number), roomId=room)
    await steady.resume(with_count=with_count)
    hello = steady.wire.hello
    assert (hello["resumed"], hello["id"], hello["resumeToken"]) == (True, old_id, old_token)
    assert hello["received"] == 1
    for number in range(5):
        assert (await steady.hear("chat"))["payload"] == str(number)
    assert await other.types() == []
    info = (await other.ask("get-room", {"roomId": room}))["room"]
    assert info["participants"] == [other.id, old_id]


async def lose(steady: Steady, server: Any) -> None:
    """Break the line, and wait until the server has noticed."""
    (client,) = [client for client in server.service.context.clients if client.id == steady.id]
    steady.wire.cut()
    async with asyncio.timeout(20):
        while client.connection is not None:  # noqa: ASYNC110 - no message says so
            await asyncio.sleep(0)


async def test_what_was_on_the_way_is_sent_again(pair: Any) -> None:
    steady, other, room = pair
    for number in range(20):
        await other.ask("chat", str(number), roomId=room)
    for _ in range(7):
        await steady.hear("chat")
    steady.wire.cut()
    await steady.resume()
    assert [(await steady.hear("chat"))["id"] for _ in range(13)] == list(range(8, 21))


async def test_a_resume_takes_over_from_a_connection_that_lives(pair: Any) -> None:
    steady, other, room = pair
    old = steady.wire
    await steady.resume()
    assert steady.wire.hello["resumed"] is True
    assert await old.closed() == 4009
    await other.ask("chat", "x", roomId=room)
    await steady.hear("chat")
    assert await other.types() == []


async def test_the_server_counts_what_it_has_received(pair: Any) -> None:
    steady, other, room = pair
    for number in range(4):
        await steady.wire.say("chat", str(number), roomId=room)
        await steady.hear("chat")
    await steady.wire.socket.send_bytes(b"x")
    await steady.hear("error")
    await steady.wire.socket.send_str("no json")
    await steady.hear("error")
    await steady.resume()
    assert steady.wire.hello["received"] == 1 + 4 + 2


async def test_past_the_bound_the_resume_fails_and_the_old_id_leaves(
    connect_to: Any, serve: Any
) -> None:
    async with serve(resume_frames=3) as server:
        steady = await Steady(connect_to, server.url).start()
        other = await connect_to(server.url)
        room = await other.create()
        await steady.wire.say("join-room", {"roomId": room})
        await steady.hear("room-joined")
        await other.hear("member-joined")
        old_id = steady.id
        await lose(steady, server)
        for number in range(4):
            await other.ask("chat", str(number), roomId=room)
        await steady.resume()
        assert steady.wire.hello["resumed"] is False
        assert steady.id != old_id
        assert "received" not in steady.wire.hello
        left = await other.hear("member-left")
        assert (left["memberId"], left["reason"]) == (old_id, "disconnected")


async def test_a_count_of_more_than_was_sent_is_no_resume(pair: Any) -> None:
    steady, other, _ = pair
    steady.received = 99
    await steady.resume()
    assert steady.wire.hello["resumed"] is False
    assert (await other.hear("member-left"))["reason"] == "disconnected"


async def test_an_unknown_token_is_simply_new(connect_to: Any, server: Any) -> None:
    for query in ("?resume=zork", "?resume=", "?resume=zork&received=-1", "?received=zork"):
        wire = await connect_to(server.url, query)
        assert wire.hello["resumed"] is False


async def test_grace_ends(connect_to: Any, serve: Any) -> None:
    async with serve(resume_grace=0.2) as server:
        steady = await Steady(connect_to, server.url).start()
        other = await connect_to(server.url)
        room = await other.create()
        await steady.wire.say("join-room", {"roomId": room})
        await other.hear("member-joined")
        old_id = steady.id
        steady.wire.cut()
        left = await other.hear("member-left")
        assert (left["memberId"], left["reason"]) == (old_id, "disconnected")
        await steady.resume()
        assert steady.wire.hello["resumed"] is False


async def test_a_goodbye_is_a_leave_at_once(pair: Any) -> None:
    steady, other, _ = pair
    await steady.wire.socket.close(code=1001)
    assert (await other.hear("member-left"))["reason"] == "disconnected"
    await steady.resume()
    assert steady.wire.hello["resumed"] is False


async def test_a_ping_acknowledges(connect_to: Any, serve: Any) -> None:
    async with serve(ping_interval=0.05, resume_frames=4) as server:
        wire = await connect_to(server.url, autoping=False)
        for _ in range(3):
            await wire.say("ping")
            while (frame := await wire.socket.receive(20)).type is aiohttp.WSMsgType.PING:
                await wire.socket.pong(frame.data)
        while (frame := await wire.socket.receive(20)).data != b"3":
            assert frame.type is aiohttp.WSMsgType.PING
        await wire.socket.pong(frame.data)
        (client,) = server.service.context.clients
        async with asyncio.timeout(20):
            while client.outbox.after(2) is not None:
                await wire.socket.receive(20)
        assert client.outbox.after(3) == []


async def test_a_queued_client_keeps_its_place(pair: Any, connect_to: Any, server: Any) -> None:
    steady, other, room = pair
    await other.ask("update-room", {"roomId": room, "maxParticipants": 1})
    waiting = await Steady(connect_to, server.url).start()
    await waiting.wire.say("join-room", {"roomId": room, "waitIfFull": True})
    await waiting.hear("queued")
    await lose(waiting, server)
    late = await connect_to(server.url)
    queued = await late.ask("join-room", {"roomId": room, "waitIfFull": True})
    assert queued["position"] == 2
    await waiting.resume()
    assert waiting.wire.hello["resumed"] is True
    await other.ask("update-room", {"roomId": room, "maxParticipants": 3})
    assert (await waiting.hear("room-joined"))["room"]["participants"][-1] == waiting.id


async def test_who_is_away_is_host_last(pair: Any, connect_to: Any, server: Any) -> None:
    steady, other, room = pair
    third = await connect_to(server.url)
    await third.join(room)
    await other.hear("member-joined")
    await lose(steady, server)
    await other.ask("leave-room", {"roomId": room})
    await third.hear("member-left")
    assert (await third.hear("host-changed"))["host"] == third.id


async def test_no_grace_no_token(connect_to: Any, serve: Any) -> None:
    async with serve(resume_grace=0) as server:
        wire = await connect_to(server.url)
        assert "resumeToken" not in wire.hello
        assert "resume" not in wire.hello["features"]
