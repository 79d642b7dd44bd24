"""A server on the loopback, and clients that say and expect messages."""

import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any

import aiohttp
import pytest

import roomcall_server
from roomcall_server.clients.connection import QueueLimits
from tests.server.cluster import Nodes, NodeStore

WAIT = 20.0  # seconds, on a machine that is busy


class Wire:
    """A client's end of a WebSocket, message by message. What must not come is named in a test
    by asking for a `pong`: what was sent before that has come before it."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = websocket
        self.hello: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return str(self.hello["id"])

    async def say(self, type: str, payload: Any = None, /, **fields: Any) -> None:
        message = {"type": type, **fields}
        if payload is not None:
            message["payload"] = payload
        await self.socket.send_str(json.dumps(message))

    async def hear(self, type: str | None = None) -> dict[str, Any]:
        """The next message, which must be of this type."""
        frame = await self.socket.receive(WAIT)
        while frame.type is aiohttp.WSMsgType.PING:  # to one that answers none
            frame = await self.socket.receive(WAIT)
        assert frame.type is aiohttp.WSMsgType.TEXT, (frame, self.socket.close_code)
        message: dict[str, Any] = json.loads(frame.data)
        assert type is None or message["type"] == type, message
        return message

    async def ask(self, type: str, payload: Any = None, /, **fields: Any) -> dict[str, Any]:
        """Say it, and the next message."""
        await self.say(type, payload, **fields)
        return await self.hear()

    async def backlog(self) -> list[dict[str, Any]]:
        """All that has been sent to this client so far."""
        await self.say("ping")
        heard = []
        while (message := await self.hear())["type"] != "pong":
            heard.append(message)
        return heard

    async def types(self) -> list[str]:
        return [message["type"] for message in await self.backlog()]

    async def refused(self, type: str, payload: Any = None, /, **fields: Any) -> str:
        """Say it, and the code of the error that it gets."""
        error = await self.ask(type, payload, **fields)
        assert error["type"] == "error", error
        assert error["request"] == type
        return str(error["code"])

    async def closed(self) -> int | None:
        """Wait for the close, past all that comes before it. Its code."""
        while True:
            frame = await self.socket.receive(WAIT)
            if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return self.socket.close_code

    def cut(self) -> None:
        """Break the line without a word."""
        raw = self.socket.get_extra_info("socket")
        # A reset, not a FIN: aiohttp would say goodbye before it.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.shutdown(socket.SHUT_RDWR)

    async def create(self, name: str = "room", /, **payload: Any) -> str:
        """Make a room. Its id."""
        made = await self.ask("create-room", {"name": name, **payload})
        assert made["type"] == "room-created", made
        return str(made["room"]["id"])

    async def join(self, room: str, /, **payload: Any) -> dict[str, Any]:
        """Join by id. The room."""
        joined = await self.ask("join-room", {"roomId": room, **payload})
        assert joined["type"] == "room-joined", joined
        found: dict[str, Any] = joined["room"]
        return found


Connect = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def connect_to() -> AsyncIterator[Callable[..., Awaitable[Wire]]]:
    """Connects to a server's url: `await connect_to(server.url)`."""
    async with AsyncExitStack() as stack:

        async def connect(
            url: str, query: str = "", *, greeted: bool = True, **options: Any
        ) -> Wire:
            # A session a client, as two clients of one process have.
            session = await stack.enter_async_context(aiohttp.ClientSession())
            websocket = await session.ws_connect(f"{url}/ws{query}", max_msg_size=0, **options)
            stack.push_async_callback(
                websocket.close
            )  # what is dropped unclosed warns, now and then
            wire = Wire(websocket)
            if greeted:
                wire.hello = await wire.hear("client-id")
            return wire

        yield connect


@pytest.fixture
def serve() -> Callable[..., AbstractAsyncContextManager[roomcall_server.Server]]:
    """`roomcall_server.serve`, which at its end does not wait long for clients that say nothing."""
    return partial(roomcall_server.serve, queue=QueueLimits(close_timeout=0.1))


@pytest.fixture
async def server() -> AsyncIterator[roomcall_server.Server]:
    async with roomcall_server.serve(queue=QueueLimits(close_timeout=0.2)) as server:
        yield server


@pytest.fixture
def connect(server: roomcall_server.Server, connect_to: Connect) -> Connect:
    """Connects to the server of the fixture."""

    async def connect(**options: Any) -> Wire:
        return await connect_to(server.url, **options)

    return connect


@pytest.fixture
async def start(serve: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """`await start(2)`: so many servers with one set of rooms."""
    nodes = Nodes()

    async def make(*_: Any) -> NodeStore:
        nodes.store.append(nodes.cluster.add())
        return nodes.store[-1]

    monkeypatch.setattr("roomcall_server.app._open_store", make)
    async with AsyncExitStack() as stack:

        async def start(count: int = 2, **config: Any) -> Nodes:
            for _ in range(count):
                config = {"rate_messages": 0, "drain_seconds": 0, "resume_grace": 5, **config}
                nodes.servers.append(await stack.enter_async_context(serve(**config)))
            return nodes

        yield start
