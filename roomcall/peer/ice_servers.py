"""W3C `RTCIceServer`s, as servers and callers give them, to the servers that are asked."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from aiortc.rtcicetransport import parse_stun_turn_uri

from .internals import IceServer

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
                warn(f"the ICE server {url} cannot be used: {error}")
    return list(found)


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
