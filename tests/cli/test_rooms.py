"""`roomcall rooms`"""

import json
from typing import Any


async def test_none(start: Any, room_server: Any) -> None:
    run = await start("rooms", "--server", room_server.url)
    assert await run.ended() == 0
    assert run.lines == []
    assert "No public rooms" in run.errors
    run = await start("rooms", "--server", room_server.url, "--json")
    assert await run.ended() == 0
    assert (run.lines, run.errors) == ([], "")


async def test_public_rooms_are_listed(start: Any, room_server: Any, peer: Any) -> None:
    standup = await peer("standup", name="ann")
    await peer("standup", name="bob")
    await peer("lunch", max_participants=5)
    await peer("secret", private=True)
    run = await start("rooms", "--server", room_server.url, "--json")
    assert await run.ended() == 0
    rows = {row["name"]: row for row in map(json.loads, run.lines)}
    assert set(rows) == {"standup", "lunch"}
    assert rows["standup"]["id"] == standup.room.id
    assert rows["standup"]["participantCount"] == 2
    run = await start("rooms", "--server", room_server.url)
    assert await run.ended() == 0
    table = [line.split() for line in run.lines]
    assert ["standup", "2", "in", "call", standup.room.id] in table
    assert "1/5" in "".join(run.lines)
    run = await start("rooms", "--server", room_server.url, "--query", "lun", "--json")
    assert await run.ended() == 0
    assert [json.loads(line)["name"] for line in run.lines] == ["lunch"]


async def test_another_server_is_3(start: Any) -> None:
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    async with TestServer(web.Application()) as server:
        run = await start("rooms", "--server", str(server.make_url("/")))
        assert await run.ended() == 3
    assert "404" in run.errors and run.errors.count("\n") == 1
