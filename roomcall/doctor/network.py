"""Addresses of this machine, and UDP between two of its sockets."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Iterable
from contextlib import closing
from statistics import median
from typing import Any, Literal, NamedTuple

import ifaddr

from .findings import Finding, failed, ok, skipped

PACKETS = 20
PACKET_BYTES = 1200  # about what RTP packets have
PATIENCE = 1.0  # seconds for a packet to come back
ENOUGH = 3  # lost packets, after which no more are sent

Version = Literal[4, 6]


class Address(NamedTuple):
    interface: str
    address: str

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        return ipaddress.ip_address(self.address)


def local_addresses() -> list[Address]:
    """Without those of one link only (fe80::), which ICE does not use either."""
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            address, _, scope = (entry.ip, 0, 0) if isinstance(entry.ip, str) else entry.ip
            if not scope:
                found.append(Address(adapter.nice_name, address))
    return found


def usable(addresses: Iterable[Address], version: Version) -> list[Address]:
    """Of one IP version: those that others may reach, or where there is none the loopback's."""
    mine = [address for address in addresses if address.ip.version == version]
    return [address for address in mine if not address.ip.is_loopback] or mine[:1]


def find_addresses() -> list[Finding]:
    return judge_addresses(local_addresses())


def judge_addresses(addresses: list[Address]) -> list[Finding]:
    """Pure: a finding for each IP version."""
    if not addresses:
        advice = "bring up the loopback interface: ip link set lo up"
        return [failed("addresses", "none, not even 127.0.0.1", advice)]
    return [_of_version(addresses, version) for version in (4, 6)]


def _of_version(addresses: list[Address], version: Version) -> Finding:
    name, found = f"IPv{version}", usable(addresses, version)
    if not found:
        return skipped(name, "no address")
    values = [entry._asdict() for entry in found]
    if found[0].ip.is_loopback:
        text = f"{found[0].address} only: this machine can call itself and nobody else"
        return skipped(name, text, values={"addresses": values})
    text = ", ".join(f"{entry.address} ({entry.interface})" for entry in found)
    return ok(name, text, values={"addresses": values})


async def find_udp(version: Version) -> list[Finding]:
    """Send packets to and fro between two sockets of one address."""
    name = f"UDP, IPv{version}"
    addresses = usable(local_addresses(), version)
    if not addresses:
        return [skipped(name, "no address")]
    address = addresses[0].address
    try:
        trips = await _round_trips(address, version)
    except OSError as error:
        advice = "let this program use UDP: see the sandbox or container that it runs in"
        return [failed(name, f"{address}: {error.strerror or error}", advice)]
    came = [trip for trip in trips if trip is not None]
    values: dict[str, Any] = {"address": address, "sent": len(trips), "received": len(came)}
    text = f"{len(came)} of {len(trips)} packets came back at {address}"
    if len(came) < len(trips):
        return [
            failed(name, text, f"let the firewall pass UDP from {address} to itself", values=values)
        ]
    trip = median(came)
    values["seconds"] = round(trip, 6)
    return [ok(name, f"{text}, {trip * 1000:.2f} ms each", values=values)]


async def _round_trips(address: str, version: Version) -> list[float | None]:
    """Seconds of each; None for one that did not come back. Raises `OSError`."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    trips: list[float | None] = []
    with (
        closing(socket.socket(family, socket.SOCK_DGRAM)) as near,
        closing(socket.socket(family, socket.SOCK_DGRAM)) as far,
    ):
        for own in (near, far):
            own.setblocking(False)
            own.bind((address, 0))
        near.connect(far.getsockname())
        far.connect(near.getsockname())
        for number in range(PACKETS):
            if trips.count(None) == ENOUGH:
                break
            started = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE):
                    await _to_and_fro(number.to_bytes(PACKET_BYTES, "big"), near, far)
            except TimeoutError:
                trips.append(None)
            else:
                trips.append(time.perf_counter() - started)
    return trips


async def _to_and_fro(packet: bytes, near: socket.socket, far: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for sender, receiver in ((near, far), (far, near)):
        await loop.sock_sendall(sender, packet)
        while await loop.sock_recv(receiver, PACKET_BYTES) != packet:
            pass  # one that came late
