"""Whose request it is, where proxies stand in between. Pure.

Rules of this file:
1. What a connection says of others counts only if it comes from a proxy that is trusted.
2. Each proxy adds whom it has heard at the right end of `X-Forwarded-For`. The client is the
   rightmost that is not itself such a proxy; what stands further left is hearsay.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """`peer`: at the other end of the connection; `forwarded`: each `X-Forwarded-For` header."""
    address = _parse(peer)
    said = [one for line in forwarded for one in line.split(",")]
    while address is not None and said and any(address in network for network in trusted):
        before = _parse(said.pop())
        if before is None:
            break
        address = before
    return peer if address is None else str(address)


def _parse(text: str) -> _Address | None:
    """Some proxies add the port."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
