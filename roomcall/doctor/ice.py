"""STUN and TURN servers: each is asked for an address, TURN over UDP and over TCP."""

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..peer.ice_servers import read_ice_servers
from ..peer.internals import IceAnswer, IceRefusal, IceServer, probe
from .blocking import in_thread
from .findings import Finding, failed, ok, skipped

TIMEOUT = 4.5  # seconds for an answer

Outcome = IceAnswer | IceRefusal | OSError  # a TimeoutError is an OSError


@dataclass(frozen=True, slots=True)
class Question:
    """`other` is the same server over the transport that was not asked for: it may be better.

    `offered`: by the signaling server, not given by the user.
    """

    server: IceServer
    other: IceServer | None
    offered: bool

    @property
    def name(self) -> str:
        return _name(self.server)


def questions(
    servers: Sequence[Mapping[str, Any]], *, offered: bool
) -> tuple[list[Question], list[Finding]]:
    """Pure: what to ask, and what cannot be asked. `servers` is W3C `RTCIceServer[]`."""
    unusable: list[str] = []
    found = read_ice_servers(servers, unusable.append)
    known = {(s.host, s.port, s.transport, s.tls) for s in found if s.relays}

    def other(server: IceServer) -> IceServer | None:
        way = "tcp" if server.transport == "udp" else "udp"
        if not server.relays or server.tls or (server.host, server.port, way, False) in known:
            return None
        return replace(server, transport=way)

    advice = "write it as stun:HOST or turn:USER:CREDENTIAL@HOST?transport=udp"
    return (
        [Question(server, other(server), offered) for server in found],
        [failed("ICE server", text, advice) for text in unusable],
    )


async def ask(question: Question) -> list[Finding]:
    outcomes = await asyncio.gather(
        *(_outcome(server) for server in (question.server, question.other) if server)
    )
    return judge_outcomes(question, *outcomes)


async def _outcome(server: IceServer) -> Outcome:
    try:
        async with asyncio.timeout(TIMEOUT):
            found = await in_thread(socket.getaddrinfo, server.host, server.port)
            address = min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0]
            return await probe(server, str(address))
    except (IceRefusal, OSError) as error:
        return error


def judge_outcomes(
    question: Question, outcome: Outcome, other: Outcome | None = None
) -> list[Finding]:
    """Pure. What the other transport says is told where it may help."""
    server = question.server
    name, values = _name(server), _values(server, outcome)
    helps = isinstance(other, IceAnswer)
    if isinstance(outcome, IceAnswer):
        findings = [ok(name, _text(server, outcome), values=values)]
    else:
        advice = _advice(question, outcome)
        if helps and isinstance(outcome, OSError):
            assert question.other is not None
            advice = f"use it over {question.other.transport.upper()}: {_url(question.other)}"
        findings = [failed(name, _text(server, outcome), advice, values)]
    if other is not None and question.other is not None:
        text = f"{_text(question.other, other)} (not asked for)"
        values = _values(question.other, other)
        if helps:
            findings.append(ok(_name(question.other), text, values=values))
        elif isinstance(outcome, IceAnswer):
            findings.append(skipped(_name(question.other), text, values=values))
    return findings


def _name(server: IceServer) -> str:
    if not server.relays:
        return "STUN"
    return "TURN, TLS" if server.tls else f"TURN, {server.transport.upper()}"


def _url(server: IceServer) -> str:
    return f"{server.url.partition('?')[0]}?transport={server.transport}"


def _values(server: IceServer, outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = {"url": server.url, "transport": server.transport}
    match outcome:
        case IceAnswer():
            values["seconds"] = round(outcome.seconds, 4)
            values["mapped"] = _address(outcome.mapped)
            if outcome.relayed is not None:
                values["relayed"] = _address(outcome.relayed)
        case IceRefusal():
            values["error"] = outcome.code
    return values


def _address(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _text(server: IceServer, outcome: Outcome) -> str:
    where = _address((server.host, server.port))
    match outcome:
        case IceAnswer():
            return f"{where} answers in {_ms(outcome)}, {_given(outcome)}"
        case IceRefusal(code=401) if server.username is None:
            return f"{where} wants a user name and a credential (401)"
        case IceRefusal(code=401 | 441):
            return f"{where} refuses the credentials of {server.username} ({outcome.code})"
        case IceRefusal():
            return f"{where} refuses: {outcome.reason or 'no reason given'} ({outcome.code})"
        case TimeoutError():
            return f"{where} does not answer within {TIMEOUT:g} s"
        case socket.gaierror():
            return f"the name {server.host} has no address"
        case ssl.SSLCertVerificationError():
            return f"{where} has a certificate that is not trusted: {outcome.verify_message}"
        case ConnectionRefusedError():
            return f"{where} is closed: nothing listens there"
        case _:
            reason = os.strerror(outcome.errno) if outcome.errno else str(outcome)
            return f"{where} cannot be asked: {reason}"


def _given(answer: IceAnswer) -> str:
    if answer.relayed is not None:
        return f"relays at {_address(answer.relayed)}"
    nat = ": no NAT" if answer.mapped[0] == answer.local[0] else ""
    return f"sees us at {_address(answer.mapped)}{nat}"


def _ms(answer: IceAnswer) -> str:
    return f"{answer.seconds * 1000:.{1 if answer.seconds < 0.01 else 0}f} ms"


def _advice(question: Question, outcome: IceRefusal | OSError) -> str:
    server = question.server
    match outcome:
        case IceRefusal(code=401 | 441) if question.offered:
            return "give `roomcall serve --turn-secret` what that server has, and set both clocks"
        case IceRefusal(code=401) if server.username is None:
            return "give them: turn:USER:CREDENTIAL@HOST:PORT"
        case IceRefusal(code=401 | 441):
            return "check user name and credential, and whether their time is over"
        case IceRefusal(code=486 | 508):
            return "raise its quota, or wait until others have left"
        case IceRefusal():
            return "see the log of that server"
        case ssl.SSLCertVerificationError():
            return "give it a certificate for that name, or use it without TLS"
        case socket.gaierror():
            return "check how the name is written, and the name server of this machine"
        case ConnectionRefusedError():
            return "start it, or check the port"
    way = f"{server.transport.upper()} port {server.port}"
    return f"check the address, and the firewalls for {way}"
