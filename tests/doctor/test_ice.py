"""STUN and TURN servers: true ones, silent ones, and those that refuse."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from roomcall.doctor import ice
from roomcall.doctor.findings import Finding, Status
from roomcall.peer.internals import IceAnswer, IceRefusal
from tests.coturn import Coturn, temporary_credentials

with_coturn = pytest.mark.system("coturn", tool="turnserver")

ANSWER = IceAnswer(0.012, ("10.0.0.2", 4000), ("192.0.2.7", 5000))
RELAY = IceAnswer(0.012, ("10.0.0.2", 4000), ("192.0.2.7", 5000), ("2001:db8::1", 6000))
STUN = {"urls": "stun:stun.example"}
TURN = {"urls": "turn:turn.example", "username": "ann", "credential": "a secret"}


async def ask(*servers: Mapping[str, Any]) -> list[Finding]:
    questions, unusable = ice.questions(servers, offered=False)
    answers = await asyncio.gather(*map(ice.ask, questions))
    return [*unusable, *(finding for answer in answers for finding in answer)]


def turn(server: Coturn, transport: str, **credentials: str) -> dict[str, str]:
    known = {"username": server.user, "credential": server.password}
    return {"urls": f"{server.turn_url}?transport={transport}", **known, **credentials}


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


@with_coturn
async def test_stun_tells_the_mapped_and_turn_the_relayed_address(coturn: Coturn) -> None:
    both = [turn(coturn, transport) for transport in ("udp", "tcp")]
    found = await ask({"urls": coturn.stun_url}, *both)
    assert [f.name for f in found] == ["STUN", "TURN, UDP", "TURN, TCP"]
    assert all(f.status is Status.OK for f in found), found
    for finding, address in zip(found, ("mapped", "relayed", "relayed"), strict=True):
        host, _, port = finding.values[address].rpartition(":")
        assert host == "127.0.0.1" and int(port) > 0 and f"{host}:{port}" in finding.figure
        assert 0 < finding.values["seconds"] < ice.TIMEOUT
    assert "no NAT" in found[0].figure


@with_coturn
async def test_the_other_transport_is_asked_too(coturn: Coturn) -> None:
    found = await ask({**turn(coturn, "udp"), "urls": coturn.turn_url})
    assert [(f.name, f.status) for f in found] == [
        ("TURN, UDP", Status.OK),
        ("TURN, TCP", Status.OK),
    ]


@with_coturn
async def test_wrong_credentials_are_no_silence(coturn: Coturn) -> None:
    (wrong,) = await ask(turn(coturn, "udp", credential="not this"))
    assert wrong.status is Status.FAILED and wrong.values["error"] == 401
    assert "refuses the credentials of ann" in wrong.figure and "user name" in wrong.advice
    (stranger,) = await ask(turn(coturn, "tcp", username="nobody"))
    assert "refuses the credentials of nobody" in stranger.figure
    (bare,) = await ask({"urls": coturn.turn_url})
    assert "wants a user name" in bare.figure and "turn:USER:CREDENTIAL@" in bare.advice


@with_coturn
async def test_credentials_that_hold_for_a_while(coturn_with_secret: Coturn) -> None:
    server = coturn_with_secret
    assert server.secret is not None
    found, *_ = await ask(turn(server, "udp"))
    assert found.status is Status.OK, found
    user, password = temporary_credentials(server.secret, "ann", seconds=-60)
    found, *_ = await ask(turn(server, "udp", username=user, credential=password))
    assert found.status is Status.FAILED and "their time is over" in found.advice


async def test_a_silent_server_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    monkeypatch.setattr(ice, "TIMEOUT", 0.3)
    found = await ask(
        {"urls": f"stun:127.0.0.1:{silent_port}"},
        {**TURN, "urls": f"turn:127.0.0.1:{silent_port}?transport=udp"},
    )
    assert [f.status for f in found] == [Status.FAILED] * 2
    for finding in found:
        assert "does not answer within" in finding.figure
        assert f"UDP port {silent_port}" in finding.advice


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    found = await ask(
        {"urls": f"stun:127.0.0.1:{port}"},
        {**TURN, "urls": f"turn:127.0.0.1:{port}"},
        {**TURN, "urls": f"turn:127.0.0.1:{port}?transport=tcp"},
    )
    assert len(found) == 3
    assert all("is closed" in f.figure and "start it" in f.advice for f in found), found


async def test_a_name_server_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(ice, "TIMEOUT", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answer.wait() and [])
    try:
        (found,) = await ask(STUN)
    finally:
        answer.set()
    assert "stun.example:3478 does not answer" in found.figure


@pytest.mark.parametrize(
    ("server", "outcome", "figure", "advice"),
    [
        (STUN, ANSWER, "answers in 12 ms, sees us at 192.0.2.7:5000", ""),
        (TURN, RELAY, "answers in 12 ms, relays at [2001:db8::1]:6000", ""),
        (STUN, socket.gaierror(), "the name stun.example has no address", "name server"),
        (TURN, IceRefusal(508, "Insufficient Capacity"), "Insufficient Capacity (508)", "quota"),
        (TURN, IceRefusal(403, ""), "refuses: no reason given (403)", "log"),
        (
            TURN,
            OSError(113, "Connect call failed ('192.0.2.1', 1)"),
            "No route to host",
            "firewall",
        ),
    ],
)
def test_what_is_said(
    server: dict[str, str], outcome: ice.Outcome, figure: str, advice: str
) -> None:
    (question,), _ = ice.questions([server], offered=False)
    found, *_ = ice.judge_outcomes(question, outcome)
    assert found.figure.endswith(figure), found.figure
    assert advice in found.advice and bool(advice) == bool(found.advice)


def test_the_other_transport_is_the_advice_where_it_works() -> None:
    (question,), _ = ice.questions([TURN], offered=False)
    udp, tcp = ice.judge_outcomes(question, TimeoutError(), RELAY)
    assert udp.advice == "use it over TCP: turn:turn.example?transport=tcp"
    assert tcp.status is Status.OK and "not asked for" in tcp.figure
    udp, tcp = ice.judge_outcomes(question, RELAY, TimeoutError())
    assert (udp.status, tcp.status) == (Status.OK, Status.SKIPPED)
    (udp,) = ice.judge_outcomes(question, IceRefusal(401, ""), IceRefusal(401, ""))
    assert udp.status is Status.FAILED


def test_whose_credentials_are_refused_is_known() -> None:
    (question,), _ = ice.questions([TURN], offered=True)
    (found,) = ice.judge_outcomes(question, IceRefusal(401, "Unauthorized"))
    assert "--turn-secret" in found.advice


def test_what_cannot_be_asked_is_told_without_credentials() -> None:
    urls = ["turns:turn.example?transport=udp", "turn:ann:a secret@turn.example"]
    _, unusable = ice.questions([{**TURN, "urls": urls}], offered=False)
    assert [f.status for f in unusable] == [Status.FAILED] * 2
    assert all("turn.example" in f.figure and f.advice for f in unusable), unusable
    assert "a secret" not in str(unusable)
