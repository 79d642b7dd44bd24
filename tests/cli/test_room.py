"""`roomcall room` and `roomcall token`"""

import json
from typing import Any

import jwt
import pytest

import roomcall_server
from roomcall_cli.describing import analytics_lines, history_lines

SECRET = "a secret of as many bytes as the longest of the algorithms demands"


@pytest.fixture
async def admin(start: Any) -> Any:
    """Runs `roomcall room …` against a server with an admin token."""
    async with roomcall_server.serve(admin_token="hush") as server:

        async def admin(verb: str, *arguments: str, token: str = "hush") -> Any:
            environment = {"ROOMCALL_SERVER": server.url, "ROOMCALL_ADMIN_TOKEN": token}
            run = await start("room", verb, *arguments, environment=environment)
            await run.ended()
            return run

        admin.url = server.url
        yield admin


async def test_a_room_is_managed_by_name(admin: Any, peer: Any) -> None:
    made = await admin("create", "standup", "--private", "--max-participants", "3", "--json")
    room = json.loads(made.lines[0])
    assert (room["metadata"]["private"], room["maxParticipants"]) == (True, 3)
    shown = await admin("show", "standup")
    assert shown.lines[0].split() == ["standup", room["id"]]
    assert shown.lines[1] == "empty, private; 0 of 3 in it, 0 waiting\n"
    ann = await peer(room["id"], name="ann", server=admin.url)
    muted = await admin("mute", room["id"], "ann")
    assert muted.lines == [f"ann  {ann.id} (host, audio muted)\n"]
    changed = json.loads((await admin("update", "standup", "--public", "--json")).lines[0])
    assert (changed["metadata"]["private"], changed["maxParticipants"]) == (False, 3)
    assert "locked" in (await admin("lock", "standup")).lines[1]
    assert (await admin("kick", "standup", "ann")).lines == [f"removed {ann.id}\n"]
    gone = await admin("close", "standup")
    assert (gone.process.returncode, gone.errors.count("\n")) == (4, 1)
    assert "room-not-found" in gone.errors


async def test_what_goes_wrong(admin: Any, start: Any) -> None:
    refused = await admin("show", "standup", token="zork")
    assert refused.process.returncode == 4
    assert "unauthorized" in refused.errors and "ROOMCALL_ADMIN_TOKEN" in refused.errors
    for _ in range(2):
        await admin("create", "twin", "--private")
    assert (await admin("lock", "twin")).process.returncode == 2
    assert (await admin("update", "twin")).process.returncode == 2
    no_server = await start("room", "show", "x", "--server", "http://127.0.0.1:9")
    assert await no_server.ended() == 3


async def test_settings_of_all_its_commands(start: Any, tmp_path: Any) -> None:
    (tmp_path / "roomcall.toml").write_text('[room]\nserver = "http://127.0.0.1:9"\n')
    run = await start("room", "show", "x")
    assert await run.ended() == 3 and "127.0.0.1:9" in run.errors
    (tmp_path / "roomcall.toml").write_text("[room]\nzork = 1\n")
    run = await start("room", "show", "x")
    assert await run.ended() == 2 and "zork" in run.errors


async def test_a_token(start: Any) -> None:
    environment = {"ROOMCALL_JWT_SECRET": SECRET}
    run = await start(
        "token", "--name", "ann", "--room", "standup", "--host", "--no-create", "--ttl", "60",
        environment=environment,
    )  # fmt: skip
    assert await run.ended() == 0
    claims = jwt.decode(run.lines[0].strip(), SECRET, algorithms=["HS256"])
    assert claims.pop("exp")
    assert claims == {"sub": "ann", "room": "standup", "host": True, "create": False}
    run = await start("token")
    assert await run.ended() == 2 and "ROOMCALL_JWT_SECRET" in run.errors


def test_history_in_words() -> None:
    history = {"roomId": "x", "events": [{"event": "joined", "at": "2026-01-01T00:00:00Z"}]}
    (line,) = history_lines(history)
    assert line.endswith("  joined")
    assert [line.split() for line in analytics_lines({"calls": 1, "firstAt": None})] == [
        ["calls", "1"],
        ["firstAt", "-"],
    ]
