"""Whatever is sent: no traceback, no mistake of ours, and nobody else feels it."""

import asyncio
import json
import logging
import random
from collections.abc import Iterator
from typing import Any, get_args

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomcall.protocol import codec, requests
from roomcall_server.clients.sessions import Arrival, Grant
from roomcall_server.config import Config
from roomcall_server.service import Service
from roomcall_server.signaling import router
from roomcall_server.store.memory import MemoryStore
from tests.server.model.caller import Line
from tests.server.raw import UPGRADE, connection, frames, masked

TYPES = [str(struct.__struct_config__.tag) for struct in get_args(requests.AnyRequest)]
FIELDS = sorted(
    {
        name
        for message in get_args(requests.AnyRequest)
        for payload in [message.__annotations__.get("payload")]
        for name in getattr(payload, "__struct_encode_fields__", ())
    }
)

# "$room" and "$other" stand for ids that only the test knows.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(["$room", "$other", "$self", "x" * 5000, "2030-01-01T00:00:00Z", "audio"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)
PAYLOADS = VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES) | VALUES},
    optional={
        "payload": PAYLOADS,
        "roomId": st.just("$room") | VALUES,
        "to": st.just("$other") | VALUES,
        "requestId": VALUES,
    },
)
FRAMES = st.one_of(MESSAGES.map(json.dumps), VALUES.map(json.dumps), st.text())


@pytest.fixture
def no_trouble(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing above INFO is logged."""
    caplog.set_level(logging.INFO)
    yield
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.INFO] == []


@settings(max_examples=300)
@given(st.lists(FRAMES, min_size=1, max_size=20))
def test_messages_that_are_nearly_right(said: list[str]) -> None:
    asyncio.run(take(said))


async def take(said: list[str]) -> None:
    """One talks, another is in the room with it and sees that all is well."""
    service = Service(Config(password_cost=4, rate_messages=0), MemoryStore(10))
    try:
        lines = Line(), Line()
        one, other = [await service.sessions.arrive(line, Arrival(Grant())) for line in lines]

        async def say(client: Any, frame: str) -> None:
            async with client.turn:
                await router.handle(service.context, client, frame)

        await say(other, '{"type":"create-room","payload":{"name":"den"}}')
        room = lines[1].sent[-1]["room"]["id"]
        await say(one, json.dumps({"type": "join-room", "payload": {"roomId": room}}))
        names = {"$room": room, "$other": other.id, "$self": one.id}
        for frame in said:
            for name, id in names.items():
                frame = frame.replace(name, id)
            await say(one, frame)
        for line in lines:
            for message in line.sent:
                assert message.get("code") != "internal", (said, message)
                assert codec.decode_reply(json.dumps(message)) is not None
        await say(other, '{"type":"list-rooms","requestId":"last"}')
        assert lines[1].sent[-1]["requestId"] == "last"
        await service.sessions.depart(one, lines[0], goodbye=True)
        record = await service.context.store.room(room)
        assert record is None or one.id not in record.members
    finally:
        await service.close()


def rubbish(chance: random.Random) -> bytes:
    """Frames, some of them right, until one may well be wrong."""
    parts = []
    for _ in range(chance.randint(1, 5)):
        payload = chance.choice(
            [
                b'{"type":"ping"}',
                b"{",
                b"",
                chance.randbytes(chance.randint(0, 300)),
                '{"type":"\N{SNOWMAN}"}'.encode()[: chance.randint(8, 14)],
            ]
        )
        opcode = chance.choice(
            [0x81, 0x81, 0x82, 0x01, 0x80, 0x89, 0x8A, 0x88, chance.randrange(256)]
        )
        length = chance.choice([None, None, None, None, 70_000, 2**40, len(payload) + 5])
        parts.append(masked(opcode, payload, length=length))
    return b"".join([*parts, chance.randbytes(chance.choice([0, 0, 20]))])


ENDS = {1000, 1002, 1007, 1009}


@pytest.mark.usefixtures("no_trouble")
async def test_bytes_that_are_no_websocket(connect: Any, server: Any) -> None:
    host = await connect()
    room = await host.create()
    ends = set()

    async def send(seed: int) -> None:
        async with connection(server) as (reader, writer), asyncio.timeout(10):
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(rubbish(random.Random(seed)))
            writer.write_eof()
            heard = list(frames(await reader.read()))
        for opcode, payload in heard:
            if opcode == 1:
                assert codec.decode_reply(payload) is not None
            elif opcode == 8:
                ends.add(int.from_bytes(payload[:2], "big"))

    for first in range(0, 300, 20):
        await asyncio.gather(*map(send, range(first, first + 20)))
        assert await host.types() == []
    assert ends == ENDS
    assert (await host.ask("get-room", {"roomId": room}))["room"]["participants"] == [host.id]


REQUESTS = [
    b"rubbish\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"GET /ws?token=hush" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    UPGRADE.replace(b"\r\n\r\n", b"\r\nX: " + b"hush" * 5000 + b"\r\n\r\n"),
    UPGRADE.replace(b"Host: x", b"Host: \xff\xfe"),
    UPGRADE.replace(b"Host: x", b"Host: x\r\nOrigin: http://[::1"),
    UPGRADE.replace(b"Host: x", b"Host: x\r\nOrigin: \xff"),
    UPGRADE.replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer \xff\xfe"),
    UPGRADE.replace(b"Host: x", b"Host: x\r\nAuthorization: \xff"),
    UPGRADE.replace(b"Host: x", b"Host: x\r\nContent-Length: -5"),
    UPGRADE.replace(b"Host: x", b"Host: x\r\nTransfer-Encoding: chunked"),
    UPGRADE.replace(b"13\r\n", b"12\r\n"),
    UPGRADE.replace(b"dGhl", b"????"),
    UPGRADE.replace(b"/ws", b"/ws?token=%ff&resume=%ff&received=%ff&mode=%00"),
    UPGRADE.replace(b"/ws", b"/ws?received=" + b"9" * 5000 + b"&resume=x"),
    UPGRADE.replace(b"/ws", b"//ws/../ws?" + b"&" * 1000),
    UPGRADE.replace(b"GET /ws", b"POST /ws"),
    UPGRADE.replace(b"GET /ws", b"GET http://[/ws"),
]


@pytest.mark.usefixtures("no_trouble")
@pytest.mark.parametrize("secret", ["", "a secret of as many bytes as HS256 asks for"])
async def test_requests_that_are_wrong(
    serve: Any, connect_to: Any, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = jwt.encode({"sub": "x", "exp": 2**40}, secret, "HS256") if secret else ""
    async with serve(jwt_secret=secret) as server:
        for request in REQUESTS:
            async with connection(server) as (reader, writer), asyncio.timeout(10):
                writer.write(request)
                answer = await reader.read(100)
            assert answer.startswith((b"HTTP/1.1 101", b"HTTP/1.1 4", b"HTTP/1.0 4")), request
        assert (await connect_to(server.url, f"?token={good}")).id
    assert "hush" not in caplog.text
