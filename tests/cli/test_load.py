"""`roomcall load`"""

import asyncio
import json
from typing import Any

import roomcall_server


async def test_every_message_of_a_small_load_comes_once(start: Any) -> None:
    async with roomcall_server.serve() as server:
        run = await start(
            "load", "--server", server.url, "--clients", "9", "--rooms", "3", "--rate", "60",
            "--ramp", "0.3", "--duration", "1", "--expect", "failed==0", "--json",
        )  # fmt: skip
        code = await run.ended()
    verdict = json.loads(run.lines[-1])
    # A machine that is too slow says so; what came is counted all the same.
    assert code in (0, 6), (run.lines, run.errors)
    assert verdict["event"] == "verdict" and verdict["ok"] in (True, None)
    assert (verdict["joined"], verdict["failed"]) == (9, 0)
    assert code == 6 or verdict["sent"] == 60
    counts = {name: verdict[name] for name in ("lost", "doubled", "misdelivered", "disordered")}
    assert set(counts.values()) == {0}
    assert verdict["received"] == verdict["signal"]["count"] + verdict["chat"]["count"]
    assert verdict["server"]["connections"] == 9


async def test_a_server_that_takes_not_all_of_them(start: Any) -> None:
    async with roomcall_server.serve(max_clients=3) as server:
        run = await start(
            "load", "--server", server.url, "--clients", "4", "--rooms", "1", "--rate", "20",
            "--ramp", "0", "--duration", "0.5",
        )  # fmt: skip
        assert await run.ended() in (1, 6)
    assert "4013 server-full" in "".join(run.lines)


async def test_with_media_every_two_of_a_room_are_connected(start: Any) -> None:
    async with roomcall_server.serve() as server:
        run = await start(
            "load", "--server", server.url, "--media", "--clients", "5", "--rooms", "2",
            "--ramp", "0.3", "--rate", "20", "--duration", "1", "--expect", "silent==0", "--json",
        )  # fmt: skip
        code = await run.ended()
    verdict = json.loads(run.lines[-1])
    assert code in (0, 6), (run.lines, run.errors)
    # Three in one room and two in the other.
    assert (verdict["connected"], verdict["unconnected"]) == (4, 0), run.lines
    assert (verdict["receiving"], verdict["silent"]) == (3, 0), run.lines
    assert verdict["packetsReceived"] >= 3
    assert (verdict["setup"]["count"], verdict["firstFrame"]["count"]) == (8, 3)
    assert (verdict["lost"], verdict["misdelivered"]) == (0, 0)


async def test_what_cannot_be(start: Any) -> None:
    for arguments, said in (
        (["--clients", "2", "--rooms", "3"], "--rooms"),
        (["--expect", "framesPerSecond>1"], "signal"),
        (["--network", "loss=1%"], "--media"),
        (["--clients", "100000000"], "ulimit"),
    ):
        run = await start("load", *arguments)
        assert await run.ended() == 2
        assert said in run.errors and run.errors.count("\n") == 1


async def test_an_interrupted_load_has_no_verdict(start: Any) -> None:
    async with roomcall_server.serve() as server:
        run = await start("load", "--server", server.url, "--duration", "300", "--ramp", "0.1")
        async with asyncio.timeout(20):
            while len(server.service.connections) < 40:  # noqa: ASYNC110 - they say nothing here
                await asyncio.sleep(0.05)
        assert await run.interrupted() == 6
    assert "No verdict" in run.lines[-1]
