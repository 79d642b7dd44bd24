"""Frames from bytes, and messages in order also where one has to wait."""

import asyncio
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall_server.http.frames import BINARY, CLOSE, PING, TEXT, Frames, Violation
from tests.server.raw import UPGRADE, connection, frames, masked

MOST = 70_000


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bool = True
) -> bytes:
    head = bytes([0x80 * fin | rsv | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([0x80 * mask | size])
    elif size < 65_536:
        head += bytes([0x80 * mask | 126]) + struct.pack(">H", size)
    else:
        head += bytes([0x80 * mask | 127]) + struct.pack(">Q", size)
    if not mask:
        return head + payload
    key = b"\x01\xfe\x80\x7f"
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))


def message(opcode: int, parts: list[bytes], between: list[bytes]) -> bytes:
    """In several frames, with pings between them."""
    sent = b""
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        sent += frame(opcode if n == 0 else 0, part, fin=last)
        if not last:
            sent += b"".join(frame(PING, ping) for ping in between)
    return sent


PAYLOADS = st.binary(max_size=300) | st.integers(0, MOST // 2).map(lambda size: b"x" * size)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([TEXT, BINARY]),
        st.lists(PAYLOADS, min_size=1, max_size=3).filter(
            lambda parts: sum(map(len, parts)) <= MOST
        ),
        st.lists(st.binary(max_size=125), max_size=2),
    ),
    max_size=4,
)


@given(MESSAGES, st.lists(st.integers(1, 5000), min_size=1))
def test_what_is_sent_is_what_is_read_however_it_is_cut(sent: Any, sizes: list[int]) -> None:
    data = b"".join(message(*one) for one in sent)
    expected: list[tuple[int, bytes]] = []
    for opcode, parts, between in sent:
        pings = [(PING, ping) for ping in between]
        expected += [*(pings * (len(parts) - 1)), (opcode, b"".join(parts))]
    reader, found, at = Frames(MOST), [], 0
    for n in range(len(data)):
        if at >= len(data):
            break
        size = sizes[n % len(sizes)]
        found += list(reader.feed(data[at : at + size]))
        at += size
    assert found == expected


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(1, b"x", mask=False), 1002),
        (frame(1, b"x", rsv=0x40), 1002),
        (frame(3, b"x"), 1002),
        (frame(9, b"x", fin=False), 1002),
        (frame(9, b"x" * 126), 1002),
        (frame(0, b"x"), 1002),
        (frame(1, b"x", fin=False) + frame(1, b"x"), 1002),
        (frame(CLOSE, b"x"), 1002),
        (frame(1, b"x" * (MOST + 1))[:10], 1009),
        (frame(1, b"x" * MOST, fin=False) + frame(0, b"x")[:6], 1009),
    ],
)
def test_a_violation_shows_by_the_head(data: bytes, code: int) -> None:
    with pytest.raises(Violation) as violation:
        list(Frames(MOST).feed(data))
    assert violation.value.code == code


def test_a_message_in_very_many_parts() -> None:
    data = frame(TEXT, b"", fin=False) + frame(0, b"x", fin=False) * 10_000 + frame(0, b"y")
    assert list(Frames(MOST).feed(data)) == [(TEXT, b"x" * 10_000 + b"y")]


@pytest.mark.parametrize("cut", [0, 1, 20, 60])
async def test_what_comes_with_the_handshake_is_read(server: Any, cut: int) -> None:
    data = UPGRADE + frame(TEXT, b'{"type":"ping","requestId":1}') * 2 + frame(CLOSE, b"\x03\xe8")
    async with connection(server) as (reader, writer):
        writer.write(data[: len(data) - cut])
        if cut:
            await reader.readuntil(b"client-id")
            writer.write(data[len(data) - cut :])
        async with asyncio.timeout(20):
            told = (await reader.read()).rpartition(b"client-id")[2]
    assert (
        told.count(b'{"requestId":1,"type":"pong"}') + told.count(b'{"type":"pong","requestId":1}')
        == 2
    )
    assert told.endswith(b"\x88\x02\x03\xe8")


@given(st.binary(max_size=400), st.integers(1, 50))
def test_whatever_comes_is_a_message_or_a_violation(data: bytes, size: int) -> None:
    def read(pieces: list[bytes]) -> tuple[list[tuple[int, bytes]], int | None]:
        reader, found = Frames(200), []
        try:
            for piece in pieces:
                for message in reader.feed(piece):
                    found.append(message)  # noqa: PERF402 - those before a violation count
        except Violation as violation:
            return found, violation.code
        return found, None

    whole = read([data])
    assert whole == read([data[at : at + size] for at in range(0, len(data), size)])
    assert all(len(payload) <= 200 for _, payload in whole[0])


async def test_a_violation_is_told_after_what_came_before_it(server: Any) -> None:
    async with connection(server) as (reader, writer):
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(1, b'{"type":"ping"}') + frame(3, b"") + frame(1, b'{"type":"ping"}'))
        async with asyncio.timeout(20):
            told = list(frames(await reader.read()))
    assert [opcode for opcode, _ in told] == [1, 1, 8]
    assert told[1][1] == b'{"type":"pong"}'
    assert told[2][1] == (1002).to_bytes(2, "big")


async def test_messages_wait_for_one_that_waits(connect: Any) -> None:
    """A password is hashed in a thread; what comes meanwhile fills more than the reader keeps."""
    ann, bob = await connect(), await connect()
    room = await ann.create("room", password="sesame")
    await bob.say("join-room", {"roomId": room, "password": "sesame"})
    for n in range(150):
        await bob.say("chat", str(n), roomId=room)
    assert (await bob.hear("room-joined"))["room"]["id"] == room
    assert [(await bob.hear("chat"))["payload"] for _ in range(150)] == list(map(str, range(150)))


async def test_what_was_said_before_the_end_takes_effect(connect: Any, server: Any) -> None:
    ann = await connect()
    room = await ann.create("room", password="sesame")
    async with connection(server) as (reader, writer):
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        join = f'{{"type":"join-room","payload":{{"roomId":"{room}","password":"sesame"}}}}'
        writer.write(masked(0x81, join.encode()) + frame(8, b"\x03\xe8"))
        async with asyncio.timeout(20):
            told = list(frames(await reader.read()))
    assert b"room-joined" in told[1][1] and told[-1] == (8, b"\x03\xe8")
    assert (await ann.hear("member-joined"))["memberId"]
    assert (await ann.hear("member-left"))["reason"] == "disconnected"
