"""A server for clients that talk fast, and a member's end of its rooms."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

import roomcall_server
from roomcall.signaling.room import JoinOptions, RoomClient


@pytest.fixture
async def room_server() -> AsyncIterator[roomcall_server.Server]:
    """One that lets people talk as fast as they can."""
    async with roomcall_server.serve(rate_messages=0) as server:
        yield server


Enter = Callable[..., Awaitable[RoomClient]]


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """Joins a room by `RoomClient`, and leaves it at the end."""
    async with AsyncExitStack() as stack:

        async def enter(url: str, room: str = "standup", **options: Any) -> RoomClient:
            patience = options.pop("patience", 10.0)
            client = RoomClient(url, room, JoinOptions(**options), patience=patience)
            await client.connect()
            stack.push_async_callback(client.close)
            return client

        yield enter
