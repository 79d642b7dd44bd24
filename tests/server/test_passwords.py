"""Rooms with a password, and what slow work does to order and to the loop."""

import asyncio
import threading
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


class Slow:
    """In the place of the hash: each takes until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.together = self.most = 0

    def __call__(self, *_: Any) -> bytes:
        self.together += 1
        self.most = max(self.most, self.together)
        self.begun.release()
        assert self.go.acquire(timeout=30)
        self.together -= 1
        return b"wrong"


async def test_wrong_passwords_stop_nobody_and_wait_for_each_other(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = await connect()
    room = await host.create(password="open")
    guessers = [await connect() for _ in range(5)]
    slow = Slow()
    monkeypatch.setattr("roomcall_server.passwords._scrypt", slow)
    for guesser in guessers:
        for number in range(3):
            await guesser.say("join-room", {"roomId": room, "password": f"{number}"})
    for _ in range(3 * len(guessers)):
        assert await asyncio.to_thread(slow.begun.acquire, timeout=30)
        assert await host.ask("ping") == {"type": "pong"}  # while one is in work
        slow.go.release()
    for guesser in guessers:
        heard = [await guesser.hear("error") for _ in range(3)]
        assert {error["code"] for error in heard} == {"wrong-password"}
    assert slow.most == 1  # in a thread of their own, and no more than that
