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


async def test_watch_says_what_changes(start: Any, room_server: Any, peer: Any) -> None:
    run = await start("rooms", "--watch", "--server", room_server.url, "--json")
    ann = await peer("standup", name="ann")
    row = json.loads(await run.line())
    assert (row["name"], row["participantCount"]) == ("standup", 1)
    await peer("standup", name="bob")
    while row["participantCount"] < 2:
        row = json.loads(await run.line())
    await peer("secret", private=True)
    other = await peer("lunch")
    while row["name"] != "lunch":
        row = json.loads(await run.line())
        assert row["name"] != "secret"
    await other.leave()
    row = json.loads(await run.line())
    assert row == {"id": row["id"], "name": "lunch", "closed": True}
    assert await run.interrupted() == 0
    assert ann.room.id in "".join(run.lines)


async def test_watch_outlives_the_server(start: Any, peer: Any) -> None:
    import roomcall_server

    async with roomcall_server.serve() as server:
        run = await start("rooms", "--watch", "--server", server.url)
        ann = await peer("before", server=server.url)
        while "before" not in (line := await run.line()):
            assert line, run.errors
        await ann.leave()
    async with roomcall_server.serve(port=server.port):
        await peer("after", server=server.url)
        while "after" not in (line := await run.line()):
            assert line, run.errors
        assert await run.interrupted() == 0
