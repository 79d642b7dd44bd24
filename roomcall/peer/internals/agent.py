"""ICE restarts for aiortc: an agent in the place of its connection, of which it holds two.

Packets go over the active generation; descriptions tell of the newest. When the newest has a pair
it becomes the active one. DTLS, SRTP and SCTP above notice nothing (RFC 8445 section 9, RFC 8839
section 4.4: make before break).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aioice
import aiortc.rtcicetransport
from aioice import Candidate, ConnectionClosed
from aioice.ice import ConnectionEvent
from aiortc import RTCPeerConnection

from .generation import Generation, IceSettings

MAX_RECEIVED = 2000  # packets that wait to be taken; then the oldest goes
LINGER = 1.0  # seconds for which the old generation still receives after a switch
# Not RTP, RTCP, DTLS or STUN (RFC 7983): it only moves a controlled libwebrtc to the new pair.
_MOVE = b"\x40"

_settings: ContextVar[IceSettings | None] = ContextVar("ice settings", default=None)
_StockConnection = aioice.Connection


def _make(**arguments: Any) -> Any:
    """In the place of aiortc's connection: ours where `ice_settings` are, else as it was."""
    settings = _settings.get()
    return _StockConnection(**arguments) if settings is None else IceAgent(settings, **arguments)


vars(aiortc.rtcicetransport)["Connection"] = _make


@contextmanager
def ice_settings(settings: IceSettings) -> Iterator[None]:
    """Inside, whatever aiortc makes has an `IceAgent` with these."""
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


@dataclass(frozen=True, slots=True)
class SelectedPair:
    """W3C `RTCIceCandidatePair`: the types of its candidates and the protocol."""

    local: str
    remote: str
    protocol: str


class IceAgent:
    """What aiortc uses of `aioice.Connection`, and restarts."""

    def __init__(self, settings: IceSettings, *, ice_controlling: bool, **arguments: Any) -> None:
        self._tell_nobody()
        self._settings = settings
        self._arguments = {
            name: value
            for name, value in arguments.items()
            if name not in ("local_username", "local_password")
        }
        self._received: deque[bytes] = deque(maxlen=MAX_RECEIVED)
        self._arrived = asyncio.Event()
        self._ended: asyncio.Future[ConnectionEvent] | None = None
        self._closed = False
        self._retiring: set[asyncio.Task[None]] = set()
        self.active = self.newest = Generation(
            self, settings, ice_controlling=ice_controlling, **arguments
        )

    def _tell_nobody(self) -> None:
        self.on_doubt: Callable[[], None] = lambda: None
        self.on_consent: Callable[[bool], None] = lambda given: None
        self.on_candidate: Callable[[Candidate | None, str], None] = lambda found, ufrag: None

    # What descriptions are made of: the newest generation

    @property
    def ice_controlling(self) -> bool:
        return self.newest.ice_controlling

    @ice_controlling.setter
    def ice_controlling(self, value: bool) -> None:
        self.newest.ice_controlling = value

    @property
    def local_candidates(self) -> list[Candidate]:
        return self.newest.local_candidates

    @property
    def remote_candidates(self) -> list[Candidate]:
        return self.newest.remote_candidates

    @property
    def local_username(self) -> str:
        return self.newest.local_username

    @property
    def local_password(self) -> str:
        return self.newest.local_password

    # aiortc sets these once, when it connects: those of the first generation.

    @property
    def remote_is_lite(self) -> bool:
        return self.active.remote_is_lite

    @remote_is_lite.setter
    def remote_is_lite(self, value: bool) -> None:
        self.active.remote_is_lite = value

    @property
    def remote_username(self) -> str | None:
        return self.active.remote_username

    @remote_username.setter
    def remote_username(self, value: str | None) -> None:
        self.active.remote_username = value

    @property
    def remote_password(self) -> str | None:
        return self.active.remote_password

    @remote_password.setter
    def remote_password(self, value: str | None) -> None:
        self.active.remote_password = value

    async def gather_candidates(self) -> None:
        await self.newest.gather_candidates()

    async def add_remote_candidate(self, candidate: Candidate | None) -> None:
        try:
            await self.newest.add_remote_candidate(candidate)
        except ValueError:
            pass  # after the end of candidates: what comes late does no harm

    async def connect(self) -> None:
        await self.active.connect()

    # Packets: the active generation

    async def send(self, data: bytes) -> None:
        """Lost where there is no way just now: the path may come back, or another be found."""
        if self._closed:
            raise ConnectionError("the ICE agent is closed")
        try:
            await self.active.send(data)
        except (ConnectionError, OSError):
            pass

    def send_now(self, packets: list[bytes]) -> None:
        """As `send`, without a step of the event loop."""
        if self._closed:
            raise ConnectionError("the ICE agent is closed")
        pair = self.active.selected
        if pair is not None:
            for packet in packets:
                pair.protocol.transport.sendto(packet, pair.remote_addr)

    async def recv(self) -> bytes:
        while not self._received:
            if self._closed:
                raise ConnectionError("the ICE agent is closed")
            self._arrived.clear()
            await self._arrived.wait()
        return self._received.popleft()

    @property
    def tried(self) -> str:
        """Between which addresses a path was sought, for people."""
        ours, theirs = (
            ", ".join(dict.fromkeys(f"{c.type} {c.host}" for c in candidates)) or "none"
            for candidates in (self.newest.local_candidates, self.newest.remote_candidates)
        )
        return f"tried from {ours} to {theirs}"

    @property
    def round_trip_time(self) -> float | None:
        """Seconds, of the last consent check on the path in use."""
        return self.active.round_trip_time

    @property
    def selected(self) -> SelectedPair | None:
        """The candidate pair in use. See RFC 8445 section 8.1.1."""
        pair = self.active.selected
        if pair is None:
            return None
        local, remote = pair.local_candidate, pair.remote_candidate
        return SelectedPair(local.type, remote.type, local.transport)

    async def get_event(self) -> ConnectionEvent | None:
        if self._closed:
            return ConnectionClosed()  # None would be asked for again, without end
        self._ended = asyncio.get_running_loop().create_future()
        return await self._ended

    # Restarts

    async def begin_restart(self) -> None:
        """A new generation, in the place of one that has not become the active one. Raises
        `ConnectionError` where the agent is closed, also meanwhile."""
        if self.newest is not self.active:
            await self.newest.close()
        self.newest = Generation(
            self, self._settings, ice_controlling=self.active.ice_controlling, **self._arguments
        )
        await self.newest.gather_candidates()
        if self._closed:
            await self.newest.close()
            raise ConnectionError("the ICE agent is closed")

    async def abandon_restart(self) -> None:
        """The new generation is of no use: the other end did not take it."""
        if self.newest is not self.active:
            await self.newest.close()
            self.newest = self.active

    async def restart(self, ufrag: str, password: str) -> bool:
        """Connect the newest generation with that of the other end, and use it from then on.

        Returns False where it found no pair, or another restart has taken its place meanwhile.
        """
        generation = self.newest
        generation.remote_username, generation.remote_password = ufrag, password
        try:
            await generation.connect()
        except ConnectionError:
            return False
        if self._closed or generation is not self.newest:
            await generation.close()
            return False
        old, self.active = self.active, generation
        for _ in range(3):
            await self.send(_MOVE)
        self._retire(old)
        return True

    def _retire(self, generation: Generation) -> None:
        async def retire() -> None:
            try:
                await asyncio.sleep(LINGER)
            finally:
                await generation.close()

        task = asyncio.create_task(retire(), name="roomcall-ice-retire")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for generation in {self.active, self.newest}:
            await generation.close()
        for task in list(self._retiring):
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        self._arrived.set()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(ConnectionClosed())
        self._tell_nobody()

    # What generations tell

    def received(self, data: bytes) -> None:
        self._received.append(data)
        self._arrived.set()

    def found(self, generation: Generation, candidate: Candidate | None) -> None:
        if generation is self.newest:
            self.on_candidate(candidate, generation.local_username)

    def doubt(self, generation: Generation) -> None:
        if generation is self.active:
            self.on_doubt()

    def consent(self, generation: Generation, given: bool) -> None:
        if generation is self.active:
            self.on_consent(given)


def ice_agent(connection: RTCPeerConnection) -> IceAgent:
    """That of a connection which was made with `ice_settings`, and has its first transport."""
    transceivers = connection.getTransceivers()
    above = transceivers[0].receiver if transceivers else connection.sctp
    assert above is not None, "something is sent or received"
    agent = above.transport.transport.iceGatherer._connection
    assert isinstance(agent, IceAgent), "it was made with ice_settings"
    return agent
