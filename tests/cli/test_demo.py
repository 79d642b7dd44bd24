"""`roomcall demo`"""

import json
import re
from collections import Counter
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner

import roomcall
from roomcall_cli.commands import demo
from roomcall_cli.exits import explain
from roomcall_cli.main import command


async def test_every_pair_connects_and_sees(start: Any) -> None:
    run = await start("demo", "--duration", "5", "--json")
    assert await run.ended() == 0
    own = {event["id"]: event["self"] for event in run.events if event["event"] == "joined"}
    assert len(own) == 3
    assert all(id == self for id, self in own.items())
    pairs = {(a, b) for a in own for b in own if a != b}
    assert all("self" in event for event in run.events)
    connected = [e for e in run.events if e["event"] == "peer-connected"]
    assert Counter((e["self"], e["peer"]) for e in connected) == Counter(pairs)
    for kind in ("video", "audio"):
        first = {
            (e["self"], e["peer"])
            for e in run.events
            if e["event"] == "first-frame" and e["kind"] == kind
        }
        assert first == pairs
    assert [e["reason"] for e in run.events if e["event"] == "left"] == ["duration"] * 3
    assert "roomcall join demo --server http://127.0.0.1:" in run.errors
    assert re.search(r"http://127.0.0.1:\d+/#/room/demo$", run.errors, re.M)


async def test_for_people_it_is_a_table_of_pairs(start: Any) -> None:
    run = await start("demo", "--peers", "2", "--duration", "4")
    assert await run.ended() == 0
    text = "".join(run.lines)
    assert "Every pair is connected." in text
    rows = [line.split() for line in run.lines]
    assert any(row[:3] == ["ann", "bob", "connected"] and "640×360" in row for row in rows), text
    assert any(row[:3] == ["bob", "ann", "connected"] and "640×360" in row for row in rows), text
    assert "\x1b" not in text + run.errors


async def test_ctrl_c_ends_it_with_0(start: Any) -> None:
    run = await start("demo", "--peers", "2", "--json")
    await run.event("first-frame", kind="video")
    assert await run.interrupted() == 0
    assert [e["reason"] for e in run.events if e["event"] == "left"] == ["interrupted"] * 2


async def test_a_bad_source_is_2(start: Any) -> None:
    run = await start("demo", "--video", "nowhere.mp4", "--json")
    assert await run.ended() == 2
    assert run.lines == []
    assert run.errors.splitlines()[-1].startswith("Error: nowhere.mp4")


def test_a_pair_that_does_not_connect_is_5(monkeypatch: pytest.MonkeyPatch) -> None:
    # There is no relay, so that no pair has a path.
    monkeypatch.setattr(roomcall, "join", partial(roomcall.join, ice_policy="relay"))
    monkeypatch.setattr(demo, "TIMEOUT", 1.0)
    result = CliRunner().invoke(command, ["demo", "--peers", "2", "--json"])
    assert isinstance(result.exception, roomcall.NoMediaPath)
    said, code = explain(result.exception)
    assert code == 5
    assert said.startswith("ann is connected to 0 of 1 expected peers (bob is connecting)")
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()][-1] == "left"
