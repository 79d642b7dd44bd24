"""A load as it goes: clients come one after the other, talk at a rate, and what is on its way then
is waited for."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiohttp

from ..load import LoadMeter
from ..network.conditions import Network
from ..signaling.url import websocket_url
from ..signaling.websocket import SSLOption
from . import server
from .client import LoadClient
from .latencies import Latencies
from .ledger import Ledger
from .result import MEDIA_COUNTS, MEDIA_TIMES, Result

if TYPE_CHECKING:
    from .media import Media

SHOWN_FAILURES = 20
_AT_ONCE = 200  # connections that are being made
_TICK = 0.01
_SETTLE = 10.0  # seconds that the last messages have
MEDIA_TIMEOUT = 30.0  # seconds in which all must be connected, after the last has come


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`clients` in all, evenly in `rooms`; they come within `ramp` seconds, then send `rate`
    messages a second, all together, for `duration` seconds. One in `chat_every` is chat, the others
    are signals; 0: none is. With `media` every two of a room are connected before they talk, over
    `network`."""

    server: str
    clients: int
    rooms: int
    rate: float
    ramp: float
    duration: float
    chat_every: int = 4
    token: str | None = None
    ssl: SSLOption = None
    media: bool = False
    network: Network | None = None


class Load:
    """`tell` hears how far it is, about once a second."""

    def __init__(self, plan: Plan, tell: Callable[[Result, str], None]) -> None:
        self.plan = plan
        self.result = Result(plan.clients, plan.rooms)
        rooms = [number % plan.rooms for number in range(plan.clients)]
        self.ledger = Ledger(rooms)
        self.room_ids = [
            str(UUID(bytes=secrets.token_bytes(16), version=4)) for _ in range(plan.rooms)
        ]
        self.failed: set[int] = set()
        self._room_numbers = {id: number for number, id in enumerate(self.room_ids)}
        self._tell = tell
        self._began = 0.0
        self._session: aiohttp.ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._tone: Sequence[bytes] = ()
        self._clients = [LoadClient(self, number, room) for number, room in enumerate(rooms)]

    async def run(self) -> None:
        """All of it. Where it is cancelled `result` has what was seen until then."""
        before = await server.figures(self.plan.server, self.plan.ssl)
        if self.plan.media:
            self._prepare_media()
        async with self.present(), self._watched():
            await self.enter()
            if self.plan.media:
                await self._connect_all()
            await self.talk()
            if self.plan.media:
                self.result.counts |= await self._count_media()
            self.result.counts["lost"] = self.ledger.lost(self.failed) + self._unknown()
            after = await server.figures(self.plan.server, self.plan.ssl)
            self.result.server = server.over_the_run(before, after)
            self.result.complete = True

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        assert self._session is not None
        return await self._session.ws_connect(
            websocket_url(self.plan.server),
            ssl=True if self.plan.ssl is None else self.plan.ssl,
            max_msg_size=0,
            compress=0,
        )

    def number_of_room(self, id: object) -> int:
        """-1 where it is none of ours."""
        return self._room_numbers.get(str(id), -1)

    def fail(self, client: LoadClient, why: str) -> None:
        if client.number in self.failed:
            return
        self.failed.add(client.number)
        self.result.counts["failed"] += 1
        self.note(f"client {client.number}: {why}")

    def error(self, client: LoadClient, code: str, text: str) -> None:
        self.result.counts["errors"] += 1
        self.note(f"client {client.number}: {code}: {text}")

    def note(self, text: str) -> None:
        if len(self.result.failures) < SHOWN_FAILURES:
            seconds = time.perf_counter() - self._began
            self.result.failures.append(f"after {seconds:.1f} s, {text}")

    def media_of(
        self, client: LoadClient, ice_servers: Sequence[Mapping[str, Any]]
    ) -> "Media | None":
        """What connects a client to those of its room; None where nothing does."""
        if not self.plan.media:
            return None
        from .media import Media

        sends = self._sender(client) is client
        return Media(client, ice_servers, self._tone if sends else None, self.plan.network)

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """Clients that `enter` stay until the end of this."""
        self._began = time.perf_counter()
        token = self.plan.token
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, headers=headers, trust_env=True
        ) as self._session:
            try:
                yield
            finally:
                self._count()
                await self._part()

    async def enter(self) -> None:
        """Let one after the other come, and wait until all are in."""
        began = time.perf_counter()
        gate = asyncio.Semaphore(_AT_ONCE)
        pause = self.plan.ramp / self.plan.clients

        async def enter(client: LoadClient) -> None:
            try:
                self._tasks.append(asyncio.create_task(client.run()))
                await client.joined()
            finally:
                gate.release()

        entering = []
        for client in self._clients:
            await asyncio.sleep(max(0.0, began + pause * client.number - time.perf_counter()))
            await gate.acquire()
            entering.append(asyncio.create_task(enter(client)))
        await asyncio.gather(*entering)

    async def talk(self) -> None:
        """Each in turn; where we come too late for some, they are sent nevertheless, at once. Then
        wait for what is on its way."""
        began = time.perf_counter()
        total = int(self.plan.rate * self.plan.duration)
        self.result.planned = total
        turn = 0
        while turn < total and len(self.failed) < self.plan.clients:
            elapsed = time.perf_counter() - began
            if elapsed > self.plan.duration * 1.1 + 1:
                break  # too late for the rest
            due = min(total, int(elapsed * self.plan.rate) + 1)
            while turn < due:
                await self._say(turn)
                turn += 1
            await asyncio.sleep(_TICK)
        await self._wait_for_the_rest()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        meter = LoadMeter()

        async def watch() -> None:
            while True:
                await asyncio.sleep(1)
                self.result.loads.append(meter.take())
                self._count()
                self._tell(self.result, f"{time.perf_counter() - self._began:.0f} s")

        tasks = [asyncio.create_task(meter.run()), asyncio.create_task(watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _say(self, turn: int) -> None:
        client = self._clients[turn % self.plan.clients]
        if client.number in self.failed:
            return
        members = self.ledger.members(client.room)
        place = members.index(client.number)
        cycle = turn // self.plan.clients
        target = members[(place + 1 + cycle % max(1, len(members) - 1)) % len(members)]
        every = self.plan.chat_every
        chats = every > 0 and (cycle + client.number) % every == 0
        if not chats and target != client.number and target not in self.failed:
            number = self.ledger.send_signal(client.number, target)
            await client.signal(self._clients[target].id, target, number)
        else:
            await client.chat(self.ledger.send_chat(client.number, self.failed))

    def _prepare_media(self) -> None:
        from .media import tone

        self._tone = tone()
        self.result.times |= {name: Latencies() for name in MEDIA_TIMES}

    def _sender(self, client: LoadClient) -> LoadClient:
        """Who sends in its room."""
        return self._clients[self.ledger.members(client.room)[0]]

    def _calls(self) -> "list[tuple[LoadClient, Media]]":
        return [
            (client, client.media)
            for client in self._clients
            if client.media is not None and client.number not in self.failed
        ]

    async def _connect_all(self) -> None:
        """As far as it goes in a while: who is not connected then is counted at the end."""
        waits = []
        for client, media in self._calls():
            room = (self._clients[number] for number in self.ledger.members(client.room))
            others = {other.id for other in room if other.number not in self.failed}
            sender = self._sender(client).id
            waits.append(asyncio.create_task(media.settled(others - {client.id}, sender)))
        if waits:
            _, late = await asyncio.wait(waits, timeout=MEDIA_TIMEOUT)
            for wait in late:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _count_media(self) -> dict[str, int]:
        """Of who has not failed otherwise. A pair is connected where both ends say so."""
        count = dict.fromkeys(MEDIA_COUNTS, 0)
        calls = dict(self._calls())
        for client, media in calls.items():
            for number in self.ledger.members(client.room):
                other = self._clients[number]
                if other in calls and number < client.number:
                    both = media.connected(other.id) and calls[other].connected(client.id)
                    count["connected" if both else "unconnected"] += 1
            sender = self._sender(client)
            if sender in calls and sender is not client:
                packets, lost = await media.received(sender.id)
                count["receiving" if packets else "silent"] += 1
                count["packetsReceived"] += packets
                count["packetsLost"] += lost
        return count

    async def _wait_for_the_rest(self) -> None:
        until = time.perf_counter() + _SETTLE
        while self.ledger.lost(self.failed) and time.perf_counter() < until:  # noqa: ASYNC110 - each message would have to look
            await asyncio.sleep(0.1)

    def _unknown(self) -> int:
        """Everybody knows everybody in the room, and nobody else: how many are not known."""
        unknown = 0
        for client in self._clients:
            if client.number in self.failed:
                continue
            others = [self._clients[n] for n in self.ledger.members(client.room)]
            wanted = {other.id for other in others if other.number not in self.failed}
            unknown += len(wanted - client.peers)
            if strangers := client.peers - {other.id for other in others}:
                self.ledger.misdelivered += len(strangers)
        return unknown

    def _count(self) -> None:
        result, ledger = self.result, self.ledger
        result.sent, result.received = ledger.sent, ledger.received
        result.seconds = time.perf_counter() - self._began
        for name in ("doubled", "misdelivered", "disordered"):
            result.counts[name] = getattr(ledger, name)

    async def _part(self) -> None:
        for client in self._clients:
            client.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
