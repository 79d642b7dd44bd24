"""`roomcall doctor`"""

import os
import socket
from typing import Any

import pytest
from aiohttp.test_utils import unused_port

import roomcall_server
from tests.coturn import Coturn


def silence() -> socket.socket:
    silent = socket.socket(type=socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    return silent


async def test_json_has_a_finding_a_line_and_the_verdict(start: Any, room_server: Any) -> None:
    run = await start("doctor", "--server", room_server.url, "--json")
    code = await run.ended()
    *findings, verdict = run.events
    assert {f["event"] for f in findings} == {"finding"}
    assert all(f["advice"] for f in findings if f["status"] == "failed")
    groups = list(dict.fromkeys(f["group"] for f in findings))
    assert groups == [
        *("This machine", "Network", "Devices"),
        *("Signaling", "STUN and TURN", "Codecs"),
    ]
    by_name = {f["name"]: f for f in findings}
    assert by_name["server"]["status"] == by_name["round trip"]["status"] == "ok"
    assert verdict.items() >= {"event": "verdict", "expectations": []}.items()
    # What else this machine lacks is not for this test to say.
    assert code == {True: 0, False: 1, None: 6}[verdict["ok"]]
    assert verdict["failures"] == [
        f"{f['name']}: {f['figure']}" for f in findings if f["status"] == "failed"
    ]


@pytest.mark.long
async def test_a_silent_and_an_absent_server_are_named_with_advice(start: Any) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    with silence() as silent:
        port = silent.getsockname()[1]
        run = await start("doctor", "--server", url, "--ice-server", f"stun:127.0.0.1:{port}")
        assert await run.ended() == 1
    lines = [line.strip() for line in run.lines]
    (stun,) = (number for number, line in enumerate(lines) if line.startswith("✗ STUN"))
    assert f"127.0.0.1:{port} does not answer" in lines[stun]
    assert lines[stun + 1].startswith("→ check the address")
    (server,) = (number for number, line in enumerate(lines) if line.startswith("✗ server"))
    assert url in lines[server] and "roomcall serve" in lines[server + 1]
    assert run.errors == ""


@pytest.mark.parametrize(("asked_for", "code", "verdict"), [(False, 6, None), (True, 1, False)])
async def test_interrupted_it_tells_what_it_knows(
    start: Any, asked_for: bool, code: int, verdict: bool | None
) -> None:
    environment = {"ROOMCALL_SERVER": f"http://127.0.0.1:{unused_port()}"} if asked_for else {}
    with silence() as silent:
        url = f"stun:127.0.0.1:{silent.getsockname()[1]}"
        run = await start("doctor", "--json", "--ice-server", url, environment=environment)
        await run.event("finding", name="server")
        assert await run.interrupted() == code
    assert run.events[-1]["event"] == "verdict"
    assert (run.events[-1]["ok"], run.events[-1]["saturated"]) == (verdict, False)
    assert not any(f["group"] == "Codecs" for f in run.events[:-1])


async def test_a_full_disk_is_2_and_a_reader_that_has_enough_is_0(start: Any) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    run = await start("doctor", stdout=full)
    os.close(full)
    assert await run.ended() == 2
    assert "stdout cannot be written" in run.errors and run.errors.count("\n") == 1
    read, write = os.pipe()
    os.close(read)
    run = await start("doctor", stdout=write)
    os.close(write)
    assert (await run.ended(), run.errors) == (0, "")


@pytest.mark.system("coturn", tool="turnserver")
async def test_turn_given_and_offered(start: Any, coturn: Coturn) -> None:
    secret = "what the two of them share"
    offered = {"turn_urls": (f"{coturn.turn_url}?transport=tcp",), "turn_secret": secret}
    async with roomcall_server.serve(**offered) as server:
        run = await start(
            *("-vv", "doctor", "--json", "--server", server.url),
            environment={"ROOMCALL_ICE_SERVER": coturn.url_with_credentials()},
        )
        assert await run.ended() == 1  # coturn does not know that secret
    found = {
        f["values"].get("transport"): f for f in run.events if f.get("group") == "STUN and TURN"
    }
    assert found["udp"]["status"] == "ok" and found["udp"]["values"]["relayed"]
    assert found["tcp"]["status"] == "failed" and "--turn-secret" in found["tcp"]["advice"]
    for hidden in (coturn.password, secret):
        assert hidden not in run.errors + "".join(run.lines)


@pytest.mark.parametrize(
    "url",
    [
        "turn:ann@a-secret@turn.example",
        "turn:ann:a-secret@",
        "stun:ann:a-secret@stun.example",
        "http://ann:a-secret@turn.example",
    ],
)
async def test_an_ice_server_that_is_none_is_2_and_stays_secret(start: Any, url: str) -> None:
    run = await start("doctor", "--ice-server", url)
    assert await run.ended() == 2
    assert run.errors.count("\n") == 1 and "--ice-server" in run.errors
    assert "a-secret" not in run.errors
