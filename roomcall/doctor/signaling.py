"""The signaling server: is it there, what can it do, how far is it, and what time has it?"""

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import aiohttp

from ..errors import Refused, RoomcallError
from ..protocol import replies, requests
from ..signaling.client import ServerClient
from ..signaling.url import http_url, without_user
from ..signaling.websocket import SSLOption
from .blocking import in_thread
from .findings import Finding, failed, ok, skipped

PROTOCOL = 1
PINGS = 5
CLOCK_TOLERANCE = 30.0  # seconds; tokens and TURN credentials hold for some minutes at least
TIMEOUT = 4.0  # seconds to be let in, and for each of the questions after that
FAREWELL = 1.0  # seconds for it to say goodbye too

_ADVICE = {
    "unauthorized": "give a valid token with --token or ROOMCALL_TOKEN",
    "server-full": "try again later, or raise its --max-clients",
}


@dataclass(frozen=True, slots=True)
class Server:
    """What is asked. `asked_for`: it has to be there; else it is the default one, which may be."""

    url: str = field(repr=False)  # it may hold a password
    asked_for: bool
    ssl: SSLOption = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """`ice_servers` is W3C `RTCIceServer[]`, as the server offers it."""

    findings: list[Finding]
    ice_servers: list[dict[str, Any]] = field(default_factory=list)


async def ask_server(server: Server) -> Answer:
    client = ServerClient(server.url, token=server.token, ssl=server.ssl, patience=0)
    started = time.perf_counter()
    try:
        async with asyncio.timeout(TIMEOUT):
            await _resolve(server.url)
            hello = await client.connect()
    except TimeoutError:
        text = f"{without_user(server.url)} does not answer within {TIMEOUT:g} s"
        return _absent(server, text, "check its address, and what is between: firewall, proxy")
    except ValueError as error:
        return _absent(server, str(error), "give it as http://host:port")
    except RoomcallError as error:
        text, _, advice = str(error).partition(" — ")
        code = error.code if isinstance(error, Refused) else ""
        return _absent(server, text, advice or _ADVICE.get(code, "see the log of the server"))
    except OSError:
        host = urlsplit(server.url).hostname
        return _absent(server, f"the name {host} has no address", "check how it is written")
    seconds = time.perf_counter() - started
    try:
        findings = [_greeting(client.server, hello, seconds), await _round_trip(client)]
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await client.close()
    return Answer([*findings, await _clock(server)], hello.ice_servers)


async def _resolve(url: str) -> None:
    """So that a name server that is silent holds nothing up. A proxy knows names that we do not."""
    host = urlsplit(http_url(url)).hostname
    if not getproxies():
        await in_thread(socket.getaddrinfo, host, None)


def _absent(server: Server, text: str, advice: str) -> Answer:
    if server.asked_for:
        return Answer([failed("server", text, advice, {"url": without_user(server.url)})])
    advice = "start one: roomcall serve, or name yours: --server URL"
    return Answer([skipped("server", f"{text} (not asked for)", advice)])


def _greeting(url: str, hello: replies.ClientId, seconds: float) -> Finding:
    values = {
        "url": url,
        "seconds": round(seconds, 4),
        "protocol": hello.protocol,
        "features": hello.features,
    }
    text = f"{url} let us in after {seconds * 1000:.0f} ms, protocol {hello.protocol}"
    if hello.protocol != PROTOCOL:
        advice = f"use a server of protocol {PROTOCOL}, or the roomcall that belongs to this one"
        return failed("server", text, advice, values)
    return ok("server", f"{text}: {', '.join(hello.features) or 'no features'}", values=values)


async def _round_trip(client: ServerClient) -> Finding:
    trips = []
    try:
        async with asyncio.timeout(TIMEOUT):
            for _ in range(PINGS):
                started = time.perf_counter()
                await client.request(requests.Ping(), replies.Pong)
                trips.append(time.perf_counter() - started)
    except (RoomcallError, TimeoutError):
        return failed("round trip", "it does not answer a ping", "see the log of the server")
    trip = median(trips)
    return ok("round trip", f"{trip * 1000:.1f} ms", values={"seconds": round(trip, 5)})


async def _clock(server: Server) -> Finding:
    """By the `Date` of an answer, which has full seconds (RFC 9110 section 6.6.1)."""
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession(trust_env=True) as session,
        ):
            before = time.time()
            ssl = True if server.ssl is None else server.ssl
            async with session.get(f"{http_url(server.url)}/healthz", ssl=ssl) as answer:
                return judge_clock(answer.headers, before, time.time())
    except (aiohttp.ClientError, TimeoutError, OSError):
        return skipped("its clock", "it answers no plain HTTP request")


def judge_clock(headers: Mapping[str, str], before: float, after: float) -> Finding:
    """Pure. `before` and `after` the request, by our clock, in seconds since 1970."""
    try:
        date = parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return skipped("its clock", "it does not tell its time")
    # The answer was made between the two, in the second that begins with the date.
    ahead, behind = date - after, before - (date + 1)
    values = {"offset": round(max(ahead, 0.0) - max(behind, 0.0), 1)}
    if ahead <= 0 and behind <= 0:
        return ok("its clock", "agrees with ours, to a second", values=values)
    text = f"{max(ahead, behind):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if max(ahead, behind) <= CLOCK_TOLERANCE:
        return ok("its clock", text, values=values)
    advice = "set both clocks (NTP): tokens and TURN credentials hold for a time"
    return failed("its clock", text, advice, values)
