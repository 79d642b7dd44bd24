"""Servers that demand a JWT."""

import asyncio
import time
import warnings
from typing import Any

import jwt
import pytest

from roomcall_server.tokens import Tokens

SECRET = "a secret of as many bytes as the longest of the algorithms demands"


def token(sub: str = "ann", *, ttl: float = 60, secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode({"sub": sub, "exp": time.time() + ttl, **claims}, secret, algorithm="HS256")


@pytest.fixture
async def closed_server(serve: Any) -> Any:
    async with serve(jwt_secret=SECRET) as server:
        yield server


@pytest.fixture
def connect(connect_to: Any, closed_server: Any) -> Any:
    async def connect(jwt: str, query: str = "", **options: Any) -> Any:
        return await connect_to(closed_server.url, f"?token={jwt}{query}", **options)

    return connect


def test_what_is_no_token() -> None:
    tokens = Tokens(SECRET)
    assert tokens.read(token()) is not None
    for wrong in [
        None,
        "",
        "zork",
        token(ttl=-1),
        token(secret=SECRET[::-1]),
        jwt.encode({"sub": "ann", "exp": time.time() + 9}, "", algorithm="none"),
        jwt.encode({"sub": "ann", "exp": time.time() + 9}, SECRET, algorithm="HS512"),
        jwt.encode({"sub": "ann"}, SECRET, algorithm="HS256"),
        jwt.encode({"exp": time.time() + 9}, SECRET, algorithm="HS256"),
        token(room=5),
        token(create="yes"),
        token(host=1),
    ]:
        assert tokens.read(wrong) is None, wrong


def test_a_short_secret_serves_and_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(action="ignore"):
        short = token(secret="short")
    assert Tokens("short").read(short) is not None
    assert "jwt_secret" in caplog.text
    assert "short" not in caplog.text.replace("short for", "")


async def test_the_upgrade_is_accepted_and_closed(closed_server: Any, connect_to: Any) -> None:
    for query in ("", "?token=zork", f"?token={token(ttl=-1)}"):
        wire = await connect_to(closed_server.url, query, greeted=False)
        frame = await wire.socket.receive(5)
        assert frame.data == 4001


async def test_sub_is_the_default_of_the_name(connect: Any, connect_to: Any) -> None:
    a = await connect(token("ann"))
    made = await a.ask("create-room", {"name": "x"})
    assert made["room"]["members"][0]["displayName"] == "ann"
    made = await a.ask("create-room", {"name": "y", "displayName": "Ann"})
    assert made["room"]["members"][0]["displayName"] == "Ann"


async def test_a_bearer_header_serves_too(closed_server: Any, connect_to: Any) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    assert (await connect_to(closed_server.url, headers=headers)).id


async def test_a_token_for_one_room(connect: Any) -> None:
    maker = await connect(token("maker"))
    room, other = await maker.create("standup"), await maker.create("other")
    by_name = await connect(token("a", room="standup", create=False))
    by_id = await connect(token("b", room=room))
    for wire in (by_name, by_id):
        assert await wire.refused("join-room", {"roomId": other}) == "forbidden"
        await wire.join(room)
        await wire.ask("leave-room", {"roomId": room})
    assert await by_id.refused("create-room", {"name": "standup 2"}) == "forbidden"
    assert await by_name.refused("create-room", {"name": "new"}) == "forbidden"
    (row,) = (await by_name.ask("list-rooms"))["rooms"]
    assert row["id"] == room
    no_create = await connect(token("c", create=False))
    assert await no_create.refused("create-room", {"name": "new"}) == "forbidden"
    missing = {"name": "new", "create": True}
    assert await no_create.refused("join-room", missing) == "forbidden"


async def test_host_by_token(connect: Any) -> None:
    maker = await connect(token("maker"))
    room = await maker.create("standup")
    deputy = await connect(token("deputy", room="standup", host=True))
    assert (await deputy.join(room))["host"] == maker.id
    assert (await deputy.ask("update-room", {"roomId": room, "locked": True}))["room"]["locked"]
    rename = {"roomId": room, "name": "mine"}
    assert await deputy.refused("update-room", rename) == "forbidden"
    taken = await deputy.ask("transfer-host", {"roomId": room, "memberId": deputy.id})
    assert taken["host"] == deputy.id


async def test_who_came_by_a_token_for_the_room_cannot_rename_it(connect: Any) -> None:
    maker = await connect(token("maker"))
    room = await maker.create("standup")
    for named in ("standup", room):
        deputy = await connect(token("deputy", room=named, host=True))
        await deputy.join(room)
        assert await deputy.refused("update-room", {"roomId": room, "name": "x"}) == "forbidden"
        same = {"roomId": room, "name": "standup", "locked": False}
        assert (await deputy.ask("update-room", same))["type"] == "room-updated"
    await maker.backlog()
    renamed = await maker.ask("update-room", {"roomId": room, "name": "retro"})
    assert renamed["room"]["name"] == "retro"


async def test_a_private_room_is_not_matched_by_its_name(connect: Any) -> None:
    maker = await connect(token("maker"))
    room = await maker.create("secret", metadata={"private": True})
    by_name = await connect(token("a", room="secret"))
    assert await by_name.refused("join-room", {"roomId": room}) == "forbidden"
    assert (await by_name.ask("list-rooms"))["rooms"] == []
    await (await connect(token("b", room=room))).join(room)


async def test_a_ban_holds_for_the_subject(connect: Any) -> None:
    host, mallory = await connect(token("host")), await connect(token("mallory"))
    room = await host.create(maxParticipants=2)
    await mallory.join(room)
    again = await connect(token("mallory"))
    await again.ask("join-room", {"roomId": room, "waitIfFull": True})
    ban = {"roomId": room, "memberId": mallory.id, "ban": True}
    await host.hear("member-joined")
    assert (await host.ask("remove-member", ban))["type"] == "member-left"
    assert await mallory.types() == ["removed"]
    assert (await again.hear("error"))["code"] == "banned"
    late = await connect(token("mallory"))
    assert await late.refused("join-room", {"roomId": room}) == "banned"
    await host.ask("unban-member", {"roomId": room, "memberId": mallory.id})
    await late.join(room)


async def test_the_renewal_of_a_token(connect: Any, closed_server: Any) -> None:
    a = await connect(token("ann", ttl=60))
    (client,) = closed_server.service.context.clients
    now = asyncio.get_running_loop().time()
    assert client.timers["expiry"].when() < now + 60
    refreshed = await a.ask("refresh-token", {"token": token("ann", ttl=600)}, requestId=1)
    assert refreshed == {"type": "token-refreshed", "requestId": 1}
    for wrong in ("zork", token("ben"), token("ann", room="x"), token("ann", ttl=-1)):
        assert await a.refused("refresh-token", {"token": wrong}) == "forbidden"
    assert client.timers["expiry"].when() > now + 500


async def test_a_resume_needs_a_token_of_the_same_subject(connect: Any) -> None:
    a = await connect(token("ann"))
    resume = f"&resume={a.hello['resumeToken']}&received=0"
    stranger = await connect(token("ben"), resume)
    assert stranger.hello["resumed"] is False
    again = await connect(token("ann", ttl=90), resume)
    assert (again.hello["resumed"], again.id) == (True, a.id)


async def test_the_token_of_a_resume_is_the_one_that_counts(connect: Any) -> None:
    a = await connect(token("ann"))
    again = await connect(token("ann", create=False), f"&resume={a.hello['resumeToken']}")
    assert again.hello["resumed"] is True
    assert await again.refused("create-room", {"name": "x"}) == "forbidden"


async def test_a_server_without_a_secret_demands_none(connect_to: Any, server: Any) -> None:
    wire = await connect_to(server.url, "?token=zork")
    assert await wire.refused("refresh-token", {"token": token()}) == "bad-request"
