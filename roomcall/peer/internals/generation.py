"""One generation of ICE: its credentials, its sockets, its checks, its pair (RFC 8445).

What differs from aioice's own connection:
- Candidates of the host are there at once; STUN and TURN servers are asked side by side, and what
  they answer is told when it comes (RFC 8838). One that does not answer is named in a warning.
- 127.0.0.1 is a candidate where there is no other.
- Names of mDNS, which pages give in the place of addresses, are looked for in the background.
- Where consent to send is lost (RFC 7675), that is told and nothing is closed: the path may come
  back, and another generation may take over.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aioice.ice
from aioice import Candidate, turn
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.mdns import is_mdns_hostname
from aioice.stun import TransactionError

from ...network.line import Line
from .sockets import Protocol as SocketProtocol

CONSENT_INTERVAL = 1.0
CONSENT_DOUBT = 1.5  # seconds without an answer, after which the path may be lost
CONSENT_PATIENCE = 3.5  # and after so many it counts as lost
RETRANSMITTED_AFTER = 0.5  # seconds: then an answer may be that to a repeated request (RFC 8489)
SERVER_TIMEOUT = 5.0  # seconds for a STUN or TURN server


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server at one address. See RFC 7064 and RFC 7065."""

    url: str
    host: str
    port: int
    relays: bool
    transport: str = "udp"
    tls: bool = False
    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class IceSettings:
    """Of all connections of a call. `servers` may be renewed: it holds for the next generation."""

    servers: Sequence[IceServer] = ()
    relay_only: bool = False
    line: Line | None = None
    warn: Callable[[str], None] = lambda text: None


class Owner(Protocol):
    """What a generation tells its agent."""

    def received(self, data: bytes) -> None: ...
    def found(self, generation: "Generation", candidate: Candidate | None) -> None: ...
    def doubt(self, generation: "Generation") -> None: ...
    def consent(self, generation: "Generation", given: bool) -> None: ...


class Generation(aioice.ice.Connection):
    def __init__(self, owner: Owner, settings: IceSettings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._owner = owner
        self._settings = settings
        self._asking: set[asyncio.Task[None]] = set()
        self._resolving: set[asyncio.Task[None]] = set()
        self._consents: set[asyncio.Task[None]] = set()
        self._consented_at = 0.0
        self._doubted = self._lost = False
        self.round_trip_time: float | None = None  # seconds, of the last consent check

    @property
    def complete(self) -> bool:
        """No further local candidates will come."""
        return self._local_candidates_end and not self._asking

    @property
    def selected(self) -> aioice.ice.CandidatePair | None:
        return self._nominated.get(1)

    async def gather_candidates(self) -> None:
        """Those of the host; with relays only, wait for the first of these."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        settings = self._settings
        if not settings.relay_only:
            addresses = aioice.ice.get_host_addresses(self._use_ipv4, self._use_ipv6)
            for address in addresses or ["127.0.0.1"]:
                await self._bind(address)
        for server in settings.servers:
            if server.relays:
                self._ask(server, self._allocate(server))
            elif not settings.relay_only:
                for protocol in self._protocols:
                    if ":" not in protocol.local_candidate.host:
                        self._ask(server, self._reflect(server, protocol))
        # aiortc starts no checks without a candidate.
        while settings.relay_only and self._asking and not self._local_candidates:
            await asyncio.wait(self._asking, return_when=asyncio.FIRST_COMPLETED)
        self._local_candidates_end = True

    async def _bind(self, address: str) -> None:
        try:
            transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: SocketProtocol(self, self._settings.line), local_addr=(address, 0)
            )
        except OSError:
            return  # an address that has just gone
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, turn.UDP_SOCKET_BUFFER_SIZE)
        host, port = transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host"),
            host=host,
            port=port,
            type="host",
        )
        self._protocols.append(protocol)
        self._local_candidates.append(protocol.local_candidate)

    def _ask(self, server: IceServer, question: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._answered(server, question), name="roomcall-ice-server")
        self._asking.add(task)
        task.add_done_callback(self._after_answer)

    async def _answered(self, server: IceServer, question: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(SERVER_TIMEOUT):
                await question
        except (TimeoutError, TransactionError, ConnectionError, OSError) as error:
            why = "does not answer" if isinstance(error, TimeoutError) else f"fails: {error}"
            self._settings.warn(f"the ICE server {server.url} {why}")

    def _after_answer(self, task: "asyncio.Task[None]") -> None:
        self._asking.discard(task)
        if not self._asking and self._local_candidates_end and not self._closing:
            self._owner.found(self, None)
            if self._early_checks_done and not self._check_list_maybe_complete():
                self._check_list_maybe_fail()

    async def _reflect(self, server: IceServer, protocol: aioice.ice.StunProtocol) -> None:
        candidate, _ = await aioice.ice.server_reflexive_candidate(
            protocol, (server.host, server.port)
        )
        known = {(c.host, c.port) for c in self._local_candidates}
        if (candidate.host, candidate.port) not in known:  # RFC 8445 section 5.1.3
            self._tell(candidate)

    async def _allocate(self, server: IceServer) -> None:
        candidate, protocol = await aioice.ice.relayed_candidate(
            component=1,
            hide_related_address=self._settings.relay_only,
            protocol_factory=lambda: SocketProtocol(self, self._settings.line),
            turn_server=(server.host, server.port),
            turn_username=server.username,
            turn_password=server.credential,
            turn_ssl=server.tls,
            turn_transport=server.transport,
        )
        if self._closing:
            await protocol.close()
            return
        self._protocols.append(protocol)
        if self._early_checks_done:  # the checks are under way: it joins them
            for remote in self._remote_candidates:
                self._pair_remote_candidate(remote)
            self.sort_check_list()
        self._tell(candidate)

    def _tell(self, candidate: Candidate) -> None:
        self._local_candidates.append(candidate)
        if self._local_candidates_end:
            self._owner.found(self, candidate)

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        if remote_candidate is None or not is_mdns_hostname(remote_candidate.host):
            return await super().add_remote_candidate(remote_candidate)
        task = asyncio.create_task(self._resolve(remote_candidate), name="roomcall-ice-mdns")
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)
        await asyncio.sleep(0)  # from its start on it is waited for

    async def _resolve(self, remote_candidate: Candidate) -> None:
        try:
            await super().add_remote_candidate(remote_candidate)
        except (OSError, ValueError):
            pass  # no multicast here: the other end finds us, as we tell addresses

    def _remote_candidates_expected(self) -> bool:
        """Checks do not end while there may be further candidates, of either side."""
        return super()._remote_candidates_expected() or bool(self._asking)

    def data_received(self, data: bytes, component: int) -> None:
        self._owner.received(data)

    def protocol_lost(self, protocol: aioice.ice.StunProtocol) -> None:
        """A socket is gone; consent will say whether that was the path."""

    async def query_consent(self) -> None:
        """Ask every second, and wait for each answer for as long as it may count."""
        if self._closing:
            return  # closed while it connected: nobody would end this
        loop = asyncio.get_running_loop()
        before = self._consented_at = loop.time()
        while True:
            if self.selected is not None:
                task = asyncio.create_task(self._ask_consent(self.selected))
                self._consents.add(task)
                task.add_done_callback(self._consents.discard)
            await asyncio.sleep(CONSENT_INTERVAL)
            now = loop.time()
            # A process that was stopped has heard nothing; that is no fault of the path.
            self._consented_at += max(0.0, now - before - 2 * CONSENT_INTERVAL)
            before = now
            if now - self._consented_at > CONSENT_DOUBT and not self._doubted:
                self._doubted = True
                self._owner.doubt(self)
            if now - self._consented_at > CONSENT_PATIENCE and not self._lost:
                self._lost = True
                self._owner.consent(self, False)

    async def _ask_consent(self, pair: aioice.ice.CandidatePair) -> None:
        assert self.remote_password is not None, "connected before it asks"
        request = self.build_request(pair, nominate=False)
        key = self.remote_password.encode()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            await pair.protocol.request(
                request, pair.remote_addr, integrity_key=key, retransmissions=2
            )
        except (TransactionError, OSError):
            return
        self._consented_at = loop.time()
        if self._consented_at - begun < RETRANSMITTED_AFTER:
            self.round_trip_time = self._consented_at - begun
        self._doubted = False
        if self._lost:
            self._lost = False
            self._owner.consent(self, True)

    async def close(self) -> None:
        await _end({*self._asking, *self._resolving, *self._consents})
        await super().close()
        await _end(self._consents)  # asked for while the others ended


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
