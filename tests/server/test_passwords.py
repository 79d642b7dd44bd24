"""Rooms with a password, and what slow work does to order and to the loop."""

import asyncio
from typing import Any

import pytest

from roomcall_server.passwords import Passwords


async def test_a_hash_is_salted_and_tells_right_from_wrong() -> None:
    passwords = Passwords(cost=4)
    one, other = await passwords.hash("sésame"), await passwords.hash("sésame")
    assert one != other
    assert "sésame" not in one
    assert await passwords.verify("sésame", one)
    assert not await passwords.verify("sesame", one)
    passwords.close()


async def test_a_room_with_a_password(connect: Any) -> None:
    a, b = await connect(), await connect()
    made = await a.ask("create-room", {"name": "x", "password": "p" * 256})
    assert made["room"]["hasPassword"] is True
    room = made["room"]["id"]
    assert await b.refused("join-room", {"roomId": room}) == "wrong-password"
    wrong = {"roomId": room, "password": "p"}
    assert await b.refused("join-room", wrong) == "wrong-password"
    assert await b.refused("join-room", {**wrong, "password": "p" * 257}) == "bad-request"
    joined = await b.join(room, password="p" * 256)
    assert "password" not in joined
    (row,) = (await b.ask("list-rooms"))["rooms"]
    assert row["hasPassword"] is True


async def test_who_creates_by_joining_knows_the_password(connect: Any) -> None:
    a, b = await connect(), await connect()
    wanted = {"name": "x", "create": True, "password": "open"}
    for wire in (a, b):
        assert (await wire.ask("join-room", wanted))["type"] == "room-joined"
        await a.backlog()
    c = await connect()
    assert await c.refused("join-room", {**wanted, "password": "no"}) == "wrong-password"


async def test_a_full_room_asks_for_the_password_first(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create(password="open", maxParticipants=1)
    wanted = {"roomId": room, "waitIfFull": True}
    assert await b.refused("join-room", wanted) == "wrong-password"
    assert await b.refused("join-room", {"roomId": room, "password": "open"}) == "room-full"
    assert (await b.ask("join-room", {**wanted, "password": "open"}))["type"] == "queued"


async def test_a_clients_messages_keep_their_order_past_slow_work(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create(password="open")
    await b.say("join-room", {"roomId": room, "password": "wrong"}, requestId=1)
    await b.say("join-room", {"roomId": room, "password": "open"}, requestId=2)
    await b.say("chat", "hello", roomId=room, requestId=3)
    await b.say("leave-room", {"roomId": room}, requestId=4)
    heard = [await b.hear() for _ in range(4)]
    assert [m["requestId"] for m in heard] == [1, 2, 3, 4]
    assert [m["type"] for m in heard] == ["error", "room-joined", "chat", "room-left"]
    assert await a.types() == ["member-joined", "chat", "member-left"]


async def test_who_goes_during_slow_work_leaves_no_ghost(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create(password="open")
    await b.say("join-room", {"roomId": room, "password": "open"})
    await b.socket.close()
    assert (await a.hear())["type"] == "member-joined"
    assert (await a.hear())["type"] == "member-left"
    assert (await a.ask("get-room", {"roomId": room}))["room"]["participants"] == [a.id]


@pytest.mark.parametrize("clients", [5])
async def test_wrong_passwords_do_not_stop_the_loop(connect: Any, clients: int) -> None:
    """The pause of the loop is measured in the server's own loop, which is this one."""
    a = await connect()
    room = await a.create(password="open")
    guessers = [await connect() for _ in range(clients)]

    async def guess(wire: Any) -> None:
        for n in range(6):
            await wire.say("join-room", {"roomId": room, "password": str(n)})
        for _ in range(6):
            assert (await wire.hear("error"))["code"] == "wrong-password"

    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(guess(wire) for wire in guessers))
    watcher.cancel()
    assert longest < 0.5  # benchmarks/hostile.py has the figure
