"""`roomcall check` as its users run it: the verdict, what says it to whom, and how it ends."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from benchmarks.faults import FAULTS
from roomcall.checking.runs import Run
from roomcall_cli.checking.peers import PeerProcess
from tests.coturn import Coturn

BY_NAME = {fault.name: fault for fault in FAULTS}


async def test_a_clean_call_says_yes_in_every_way(start: Any, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    run = await start(
        *("check", "--duration", "3", "--json", "--junit", "check.xml", "--bundle", "bundle"),
        *("--expect", "framesPerSecond>=10", "--expect", "avOffset.max<0.08"),
        environment={
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(summary),
            "ROOMCALL_NAME": "somebody",  # the user's own settings are not the peers'
        },
    )
    code = await run.ended()
    verdict = run.events[-1]
    assert verdict["event"] == "verdict", run.errors
    if code == 6:
        pytest.skip(f"this machine is too busy for a verdict: {verdict['failures']}")
    assert (code, verdict["ok"], verdict["failures"]) == (0, True, [])
    assert len(verdict["pairs"]) == 6
    for pair in verdict["pairs"]:
        assert pair["connected"] and pair["framesPerSecond"] >= 10 and pair["loss"] == 0
        assert 0 < pair["latency"] < 1 and abs(pair["avOffset"]) < 0.08
    seen_by = {event["self"] for event in run.events[:-1]}
    names = {event["name"] for event in run.events if event["event"] == "member-joined"}
    assert len(seen_by) == 3 and names == {"ann", "bob", "cem"}
    loads = [event["load"] for event in run.events if event["event"] == "stats"]
    assert all(load.keys() == {"loopLag", "cpu", "machineCpu"} for load in loads)
    (suite,) = JUnitXml.fromfile(str(tmp_path / "check.xml"))
    assert (suite.tests, suite.failures) == (6 * 8, 0)
    assert "✅ roomcall check: Yes" in summary.read_text()
    assert "::" not in run.errors
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == {"check.json", *names}
    signals = (tmp_path / "bundle/ann/signals.jsonl").read_text()
    assert "m=video" in signals and "a=candidate" in signals


@pytest.mark.long
async def test_a_black_picture_says_no_in_every_way(start: Any, tmp_path: Path) -> None:
    fault = BY_NAME["black picture"]
    async with fault.setting() as arguments:
        run = await start(
            *("check", *arguments, "--duration", "3", "--junit", "check.xml"),
            environment={"GITHUB_ACTIONS": "true"},
        )
        assert await run.ended() == 1
    report = "".join(run.lines)
    assert "✗  picture neither black nor frozen" in report
    assert "→ app → ann: picture: it is black — look at what the sender films" in report
    assert "::error title=roomcall check::app → ann: picture: it is black" in run.errors
    (suite,) = JUnitXml.fromfile(str(tmp_path / "check.xml"))
    (failed,) = [case for case in suite if case.result and case.result[0]._tag == "failure"]
    assert (failed.classname, failed.name) == ("app → ann", "picture neither black nor frozen")


@pytest.mark.system("chromium")
async def test_a_browser_of_its_own_is_judged(start: Any, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("let me in")
    options = ("--peers", "1", "--browser", "--duration", "2", "--password-file", "password")
    run = await start("check", *options, "--json")
    code = await run.ended()
    verdict = run.events[-1]
    if code == 6:
        pytest.skip(f"this machine is too busy for a verdict: {verdict['failures']}")
    assert (code, verdict["ok"], verdict["failures"]) == (0, True, []), run.errors
    (pair,) = verdict["pairs"]
    assert (pair["from"], pair["to"]) == ("browser", "ann") and pair["framesPerSecond"] > 5


async def test_without_a_browser_it_says_what_to_install(start: Any, tmp_path: Path) -> None:
    (tmp_path / "playwright.py").write_text("raise ImportError")
    run = await start("check", "--browser", environment={"PYTHONPATH": str(tmp_path)})
    assert await run.ended() == 2
    assert run.errors == (
        "Error: playwright drives the browser, and is missing — pip install 'roomcall[browser]'\n"
    )


async def test_who_is_kept_out_says_why_with_its_own_code(start: Any) -> None:
    fault = BY_NAME["wrong certificate"]
    async with fault.setting() as arguments:
        run = await start("check", *arguments)
        assert await run.ended() == fault.code
    assert fault.told in "".join(run.lines)
    (line,) = run.errors.splitlines()
    assert line.startswith("Error: ") and " — " in line


@pytest.mark.system("coturn", tool="turnserver")
async def test_through_turn(start: Any, coturn: Coturn) -> None:
    run = await start(
        *("check", "--relay", "--peers", "2", "--duration", "2", "--json"),
        environment={"ROOMCALL_ICE_SERVER": coturn.url_with_credentials()},
    )
    code = await run.ended()
    verdict = run.events[-1]
    assert code in (0, 6), verdict
    paths = [e for e in run.events if e["event"] == "peer-connected"]
    assert [(path["local"], path["remote"]) for path in paths] == [("relay", "relay")] * 2
    if code == 0:
        assert [pair["connected"] for pair in verdict["pairs"]] == [True, True]


@pytest.mark.long
async def test_no_path_is_5(start: Any) -> None:
    arguments = ("--peers", "2", "--network", "loss=100%", "--timeout", "3", "--duration", "1")
    run = await start("check", *arguments)
    assert await run.ended() == 5
    assert "✗  every pair connected" in "".join(run.lines)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--expect", "fps>1"], "fps: unknown — there are connected, setup"),
        (["--relay"], "--relay needs a TURN server"),
        (["--peers", "1"], "nobody to talk to"),
        (["--video", "missing.mp4"], "missing.mp4"),
        (["--bundle", "/proc/none/such"], "cannot be written"),
    ],
)
async def test_wrong_use_is_2_in_one_line(start: Any, arguments: list[str], text: str) -> None:
    run = await start("check", *arguments)
    assert await run.ended() == 2
    (line,) = run.errors.splitlines()
    assert line.startswith("Error: ") and text in line
    assert run.lines == []


async def test_an_interrupt_reports_what_is_known(start: Any) -> None:
    run = await start("check", "--peers", "2", "--duration", "50", "--json")
    for _ in range(6):
        await run.event("stats")
    run.process.send_signal(signal.SIGINT)
    ended = await run.ended()
    verdict = json.loads(run.lines[-1])
    assert (verdict["event"], verdict["ok"]) == ("verdict", None), verdict["failures"]
    assert ended == 6


async def test_join_judges_what_it_receives(start: Any, peer: Any, room_server: Any) -> None:
    await peer("standup", name="bob", video="testsrc", video_size=(320, 240), fps=15)
    options = ("--server", room_server.url, "--duration", "3")
    expect = ("--expect", "framesPerSecond>1", "--expect", "loss>=50%")
    run = await start("join", "standup", *options, *expect)
    assert await run.ended() == 1
    lines = "".join(run.lines)
    assert "✓ framesPerSecond>1: " in lines and "✗ flow: loss>=50%: it is 0 (bob → you)" in lines


async def test_what_a_peer_says_that_is_no_event_is_its_failure() -> None:
    run, ended = Run("ann"), asyncio.Event()
    peer = PeerProcess(run, lambda *_: None, ended.set)
    await peer.start(["--version"], {})
    await asyncio.wait_for(ended.wait(), 20)
    await peer.end(1)
    assert "what it says cannot be read" in run.error and run.code not in (0, None)
