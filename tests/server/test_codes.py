"""Every error and every close code, as a client meets it. What surrounds each is tested where its
subject is; here none may be missing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest

from roomcall.protocol import requests
from roomcall.protocol.errors import CloseCode, ErrorCode
from roomcall_server.clients.connection import QueueLimits, framed
from roomcall_server.signaling import router

NOWHERE = "00000000-0000-4000-8000-000000000000"
SECRET = "a secret of as many bytes as HS256 asks for"
SETTINGS: dict[ErrorCode, dict[str, Any]] = {
    ErrorCode.TOO_MANY_ROOMS: {"max_rooms_per_client": 1},
    ErrorCode.RATE_LIMITED: {"rate_joins": 1},
}


class Cast:
    """Two members of a room, and one who is outside. `member` is not the host."""

    def __init__(self, connect: Any, host: Any, member: Any, outsider: Any, room: str) -> None:
        self.connect = connect
        self.host = host
        self.member = member
        self.outsider = outsider
        self.room = room

    async def join(self, **payload: Any) -> Any:
        """What the outsider hears when it wants to come in."""
        return await self.outsider.ask("join-room", {"roomId": self.room, **payload})

    async def set(self, **changes: Any) -> None:
        assert await self.host.ask("update-room", {"roomId": self.room, **changes})


async def bad_json(cast: Cast) -> Any:
    await cast.outsider.socket.send_str("{")
    return await cast.outsider.hear()


async def room_not_open(cast: Cast) -> Any:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await cast.outsider.ask("create-room", {"name": "later", "opensAt": soon})
    return await cast.outsider.ask("join-room", {"roomId": made["room"]["id"]})


async def room_full(cast: Cast) -> Any:
    await cast.set(maxParticipants=1)
    return await cast.join()


async def room_locked(cast: Cast) -> Any:
    await cast.set(locked=True)
    return await cast.join()


async def wrong_password(cast: Cast) -> Any:
    await cast.set(password="open")
    return await cast.join(password="Open")


async def banned(cast: Cast) -> Any:
    ban = {"roomId": cast.room, "memberId": cast.member.id, "ban": True}
    await cast.host.ask("remove-member", ban)
    await cast.member.backlog()
    return await cast.member.ask("join-room", {"roomId": cast.room})


async def too_many_rooms(cast: Cast) -> Any:
    return await cast.member.ask("create-room", {"name": "second"})


async def rate_limited(cast: Cast) -> Any:
    """The joins of an address count, and two have joined just now."""
    return await cast.join()


async def direct_mode_disabled(cast: Cast) -> Any:
    return await (await cast.connect("?mode=direct")).hear()


def asked(who: str, type: str, payload: Any = None, **fields: Any) -> Callable[[Cast], Any]:
    """A single message of one of them; its error."""

    def filled(cast: Cast, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(cast, item) for key, item in value.items()}
        return cast.room if value == "$room" else value

    async def ask(cast: Cast) -> Any:
        wire = getattr(cast, who)
        return await wire.ask(type, filled(cast, payload), **filled(cast, fields))

    return ask


ERRORS: dict[ErrorCode, Callable[[Cast], Awaitable[Any]]] = {
    ErrorCode.BAD_JSON: bad_json,
    ErrorCode.BAD_REQUEST: asked("outsider", "create-room", {"name": ""}),
    ErrorCode.UNKNOWN_TYPE: asked("outsider", "zork"),
    ErrorCode.ROOM_NOT_FOUND: asked("outsider", "join-room", {"roomId": NOWHERE}),
    ErrorCode.ROOM_FULL: room_full,
    ErrorCode.ROOM_LOCKED: room_locked,
    ErrorCode.ROOM_NOT_OPEN: room_not_open,
    ErrorCode.WRONG_PASSWORD: wrong_password,
    ErrorCode.BANNED: banned,
    ErrorCode.ALREADY_IN_ROOM: asked("member", "join-room", {"roomId": "$room"}),
    ErrorCode.NOT_IN_ROOM: asked("outsider", "chat", "x", roomId="$room"),
    ErrorCode.PEER_NOT_FOUND: asked("member", "hangup", roomId="$room", to=NOWHERE),
    ErrorCode.FORBIDDEN: asked("member", "close-room", {"roomId": "$room"}),
    ErrorCode.TOO_MANY_ROOMS: too_many_rooms,
    ErrorCode.NAME_TAKEN: asked("outsider", "create-room", {"name": "room"}),
    ErrorCode.PAYLOAD_TOO_LARGE: asked("member", "chat", "x" * 4097, roomId="$room"),
    ErrorCode.RATE_LIMITED: rate_limited,
    ErrorCode.DIRECT_MODE_DISABLED: direct_mode_disabled,
    ErrorCode.INTERNAL: asked("member", "get-room", {"roomId": "$room"}),
}


async def broken(*args: Any) -> None:
    raise RuntimeError("a mistake of ours")


@pytest.mark.parametrize("code", ErrorCode)
async def test_an_error(
    connect_to: Any, serve: Any, code: ErrorCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(**SETTINGS.get(code, {})) as server:

        async def connect(query: str = "") -> Any:
            return await connect_to(server.url, query)

        host, member, outsider = [await connect() for _ in range(3)]
        room = await host.create("room")
        await member.join(room)
        await host.hear("member-joined")
        if code is ErrorCode.INTERNAL:
            monkeypatch.setitem(router.HANDLERS, requests.GetRoom, broken)
        error = await ERRORS[code](Cast(connect, host, member, outsider, room))
        assert (error["type"], error["code"]) == ("error", code)
        assert error["message"] and "\n" not in error["message"]
        assert "request" in error
        assert await outsider.types() == []  # the connection stays


class Guest:
    """One who is in a room with others, and what ends its connection."""

    def __init__(self, wire: Any, server: Any, connect_to: Any) -> None:
        self.wire = wire
        self.server = server
        self.connect_to = connect_to

    async def goodbye(self) -> None:
        await self.wire.socket.close(code=CloseCode.NORMAL)

    async def sends_no_utf8(self) -> None:
        await self.wire.socket.send_frame(b'"\xff"', aiohttp.WSMsgType.TEXT)

    async def sends_too_much(self) -> None:
        await self.wire.socket.send_str(" " * 70_000)

    async def token_expires(self) -> None:
        await self.wire.ask("refresh-token", {"token": token(ttl=1)})

    async def reads_nothing(self) -> None:
        clients = self.server.service.context.clients
        (client,) = [client for client in clients if client.id == self.wire.id]
        while client.connection is not None:
            client.send_frame(framed(b" " * 65_536))
            await asyncio.sleep(0)

    async def is_taken_over(self) -> None:
        resume = f"?resume={self.wire.hello['resumeToken']}"
        assert (await self.connect_to(self.server.url, resume)).hello["resumed"] is True

    async def talks_too_fast(self) -> None:
        with pytest.raises(AssertionError, match="CLOSE"):
            while True:
                await self.wire.ask("ping")

    async def server_ends(self) -> None:
        await asyncio.gather(self.server.service.close(), self.wire.closed())


@dataclass(frozen=True)
class End:
    """`leaves`: the id is gone at once, and does not wait for its return."""

    how: Callable[[Guest], Awaitable[None]]
    leaves: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


CLOSES = {
    CloseCode.NORMAL: End(Guest.goodbye),
    CloseCode.GOING_AWAY: End(Guest.server_ends, leaves=False),
    CloseCode.NOT_UTF8: End(Guest.sends_no_utf8),
    CloseCode.TOO_BIG: End(Guest.sends_too_much),
    CloseCode.UNAUTHORIZED: End(Guest.token_expires, settings={"jwt_secret": SECRET}),
    CloseCode.TOO_SLOW: End(
        Guest.reads_nothing, settings={"queue": QueueLimits(hard=1_000_000, close_timeout=5.0)}
    ),
    CloseCode.TAKEN_OVER: End(Guest.is_taken_over, leaves=False),
    CloseCode.RATE_LIMITED: End(
        Guest.talks_too_fast, settings={"rate_messages": 5, "rate_patience": 0.1}
    ),
}


def token(ttl: float = 600) -> str:
    return jwt.encode({"sub": "ann", "exp": int(time.time() + ttl)}, SECRET, algorithm="HS256")


@pytest.mark.parametrize("code", CLOSES)
async def test_a_close(connect_to: Any, serve: Any, code: CloseCode) -> None:
    end = CLOSES[code]
    query = f"?token={token()}" if "jwt_secret" in end.settings else ""
    async with serve(**end.settings) as server:
        host, wire = [await connect_to(server.url, query) for _ in range(2)]
        room = await host.create("room")
        await wire.join(room)
        await host.hear("member-joined")
        await end.how(Guest(wire, server, connect_to))
        assert await wire.closed() == code
        if end.leaves:  # while for one that may come back it would be 10 s
            left = await host.hear("member-left")
            assert (left["memberId"], left["reason"]) == (wire.id, "disconnected")
        elif code is not CloseCode.GOING_AWAY:
            assert await host.types() == []
        await host.socket.close()


async def test_a_server_that_is_full(connect_to: Any, serve: Any) -> None:
    async with serve(max_clients=1) as server:
        await connect_to(server.url)
        late = await connect_to(server.url, greeted=False)
        assert await late.closed() == CloseCode.SERVER_FULL


def test_no_code_is_missing() -> None:
    assert {*ERRORS} == {*ErrorCode}
    assert {*CLOSES, CloseCode.SERVER_FULL} == {*CloseCode}
