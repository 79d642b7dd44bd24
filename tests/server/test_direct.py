"""Direct mode: the flow before rooms."""

from typing import Any

import pytest

OFFER = {"type": "offer", "sdp": "x"}


@pytest.fixture
async def direct_server(serve: Any) -> Any:
    async with serve(direct_mode=True) as server:
        yield server


async def test_direct_clients_see_each_other(connect_to: Any, direct_server: Any) -> None:
    url = direct_server.url
    a = await connect_to(url, "?mode=direct")
    assert "direct" in a.hello["features"]
    assert await a.hear() == {"type": "client-list", "clients": []}
    b = await connect_to(url, "?mode=direct")
    assert await b.hear() == {"type": "client-list", "clients": [a.id]}
    assert await a.hear() == {"type": "client-list", "clients": [b.id]}
    await a.say("offer", OFFER, to=b.id)
    assert await b.hear() == {"type": "offer", "from": a.id, "payload": OFFER}
    await b.say("hangup", to=a.id)
    assert await a.hear() == {"type": "hangup", "from": b.id}
    await b.socket.close()
    assert await a.hear() == {"type": "client-list", "clients": []}
    assert await a.refused("offer", OFFER, to=b.id) == "peer-not-found"


async def test_who_comes_back_was_not_gone(connect_to: Any, direct_server: Any) -> None:
    a = await connect_to(direct_server.url, "?mode=direct")
    b = await connect_to(direct_server.url, "?mode=direct")
    await a.backlog()
    a.cut()
    await b.hear("client-list")
    await b.say("offer", OFFER, to=a.id)
    back = await connect_to(direct_server.url, f"?resume={a.hello['resumeToken']}&received=3")
    assert (back.hello["resumed"], back.id) == (True, a.id)
    assert (await back.hear("offer"))["from"] == b.id
    assert await b.types() == []


async def test_direct_clients_and_rooms_do_not_see_each_other(
    connect_to: Any, direct_server: Any
) -> None:
    direct = await connect_to(direct_server.url, "?mode=direct")
    await direct.hear("client-list")
    member = await connect_to(direct_server.url)
    room = await member.create()
    assert await direct.refused("join-room", {"roomId": room}) == "bad-request"
    assert await direct.refused("list-rooms") == "bad-request"
    assert await direct.refused("offer", OFFER, roomId=room, to=member.id) == "bad-request"
    assert await direct.refused("offer", OFFER, to=member.id) == "peer-not-found"
    assert await member.refused("offer", OFFER, to=direct.id) == "bad-request"
    assert await direct.ask("ping") == {"type": "pong"}
    assert await member.types() == []


async def test_where_it_is_off(connect_to: Any, server: Any) -> None:
    wire = await connect_to(server.url, "?mode=direct")
    assert "direct" not in wire.hello["features"]
    error = await wire.hear("error")
    assert (error["code"], error["request"]) == ("direct-mode-disabled", None)
    assert await wire.refused("offer", OFFER, to=wire.id) == "bad-request"
    await wire.create()
