"""One question to one STUN or TURN server, without a call (RFC 8489, RFC 8656)."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aioice import stun, turn

from .generation import IceServer

LIFETIME = 60  # seconds of an allocation, which is given back at once
FAREWELL = 1.0  # seconds for that

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class IceAnswer:
    """`seconds` to the answer, with what TCP, TLS and the proof of the credentials take.

    `local` is our address, `mapped` the same as the server sees it, `relayed` what TURN gives.
    """

    seconds: float
    local: Address
    mapped: Address
    relayed: Address | None = None


class IceRefusal(Exception):
    """The server answers with an error: `code` is one of RFC 8489 section 14.8."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class _Client(turn.TurnClientMixin):
    """Hears that nobody is there, where somebody says so."""

    def __init__(self, server: IceServer, address: str) -> None:
        self.ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        super().__init__(
            (address, server.port), server.username, server.credential, LIFETIME, LIFETIME
        )

    def _end(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_result(error)


class _UdpClient(_Client, turn.TurnClientUdpProtocol):
    def error_received(self, error: Exception) -> None:
        self._end(error)


class _TcpClient(_Client, turn.TurnClientTcpProtocol):
    def connection_lost(self, error: Exception | None) -> None:
        self._end(error or ConnectionResetError("it hangs up"))


async def probe(server: IceServer, address: str) -> IceAnswer:
    """Ask a server whose host has this address.

    Raises `IceRefusal` where it answers with an error, `OSError` where it cannot be asked, and
    `TimeoutError` after half a minute; cancel it for less.
    """
    started = time.perf_counter()
    client = await _connect(server, address)
    asking = asyncio.create_task(_ask(server, client))
    first: list[asyncio.Future[Any]] = [asking, client.ended]
    try:
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise client.ended.result()
        mapped, relayed = asking.result()
        seconds = time.perf_counter() - started
        local = client.transport.get_extra_info("sockname")[:2]
        return IceAnswer(seconds, local, mapped, relayed)
    except stun.TransactionFailed as error:
        raise IceRefusal(*error.response.attributes.get("ERROR-CODE", (0, ""))) from None
    except stun.TransactionTimeout:
        raise TimeoutError from None
    finally:
        asking.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await _leave(client)


async def _connect(server: IceServer, address: str) -> _UdpClient | _TcpClient:
    loop = asyncio.get_running_loop()
    client: _UdpClient | _TcpClient
    if server.transport == "udp":
        _, client = await loop.create_datagram_endpoint(
            lambda: _UdpClient(server, address), remote_addr=(address, server.port)
        )
    else:
        _, client = await loop.create_connection(
            lambda: _TcpClient(server, address),
            address,
            server.port,
            ssl=server.tls or None,
            server_hostname=server.host if server.tls else None,
        )
    return client


async def _ask(server: IceServer, client: _Client) -> tuple[Address, Address | None]:
    """The mapped and the relayed address."""
    if server.relays:
        relayed = await client.connect()
        assert client.mapped_address is not None, "connected"
        return client.mapped_address, relayed
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    response, _ = await client.request(request)
    for name in ("XOR-MAPPED-ADDRESS", "MAPPED-ADDRESS"):
        if name in response.attributes:
            mapped: Address = response.attributes[name]
            return mapped, None
    raise ConnectionError("it answers without an address")


async def _leave(client: _UdpClient | _TcpClient) -> None:
    try:
        if client.relayed_address is not None:
            await client.delete()
    finally:
        client.transport.close()
