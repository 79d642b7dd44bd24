"""W3C `RTCIceServer`s, as servers and callers give them, to the servers that are asked."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from aiortc.rtcicetransport import parse_stun_turn_uri

from .internals import IceServer, IceSettings

IcePolicy = Literal["all", "relay"]


def read_ice_servers(
    servers: Iterable[Mapping[str, Any]], warn: Callable[[str], None]
) -> list[IceServer]:
    """One for each URL, without repetitions; one that cannot be used is a warning.

    See W3C webrtc-pc section 4.2.4, RFC 7064 and RFC 7065.
    """
    found: dict[IceServer, None] = {}
    for server in servers:
        urls = server.get("urls", ())
        for url in [urls] if isinstance(urls, str) else urls:
            try:
                found[_read(url, server)] = None
            except ValueError as error:
                warn(f"the ICE server {_without_secret(url)} cannot be used: {error}")
    return list(found)


def _without_secret(url: str) -> str:
    return re.sub(r"(?<=:).*@", "", url)


def check_policy(settings: IceSettings) -> None:
    """Warn where only relays may be used and there is none."""
    if settings.relay_only and not any(server.relays for server in settings.servers):
        settings.warn(
            "only relays may be used, and there is no TURN server: nobody can be connected"
            " — name one with --ice-server, or on the server with --turn-url"
        )


def _shown(url: str) -> str:
    """Without a password: it does not belong there, but people write it."""
    scheme, colon, rest = url.partition(":")
    return scheme + colon + rest.rpartition("@")[2]


def _read(url: str, server: Mapping[str, Any]) -> IceServer:
    parsed = parse_stun_turn_uri(url)
    scheme, transport = parsed["scheme"], parsed.get("transport", "udp")
    if scheme == "stuns":
        raise ValueError("STUN over TLS is not supported")
    if scheme == "turns" and transport != "tcp":
        raise ValueError("TURN over DTLS is not supported")
    if transport not in ("udp", "tcp"):
        raise ValueError(f"transport {transport} is neither udp nor tcp")
    relays = scheme != "stun"
    return IceServer(
        url,
        parsed["host"],
        parsed["port"],
        relays,
        transport,
        scheme == "turns",
        server.get("username") if relays else None,
        server.get("credential") if relays else None,
    )
