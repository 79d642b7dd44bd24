"""Pings every client in turn, and drops those that answer none."""

import asyncio
import heapq
from dataclasses import dataclass
from itertools import count

from .client import Client
from .connection import Connection


@dataclass(slots=True, eq=False)
class Pulse:
    """The life signs of one connection. `busy`: we ourselves are not reading what it sends."""

    client: Client
    connection: Connection
    due: float
    heard_at: float
    busy: bool = False


class Liveness:
    """One task for all clients: a timer for each costs several times as much."""

    def __init__(self, interval: float, timeout: float) -> None:
        self._interval = interval
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._turns: list[tuple[float, int, Pulse]] = []  # a heap: who is to be looked at when
        self._order = count()

    def watch(self, client: Client, connection: Connection) -> Pulse:
        now = self._loop.time()
        pulse = Pulse(client, connection, due=now + self._interval, heard_at=now)
        self._take_turn(pulse)
        return pulse

    def heard(self, pulse: Pulse, payload: bytes) -> None:
        """A pong has come; if it is the answer to a ping of ours, it says what has arrived."""
        pulse.heard_at = self._loop.time()
        if payload.isdigit() and len(payload) < 20:
            pulse.client.outbox.acknowledge(int(payload))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._interval / 15)
            self.sweep(self._loop.time())

    def sweep(self, now: float) -> None:
        """Ping whose turn it is, and drop who has been silent too long."""
        while self._turns and self._turns[0][0] <= now:
            _, _, pulse = heapq.heappop(self._turns)
            if pulse.connection.closing:
                continue
            if pulse.busy:
                pulse.heard_at = now
            elif now - pulse.heard_at >= self._timeout:
                pulse.connection.abort()
                continue
            if pulse.due <= now:
                # The count lets the pong acknowledge what came before it.
                pulse.connection.ping(str(pulse.client.outbox.sent).encode())
                pulse.due = now + self._interval
            self._take_turn(pulse)

    def _take_turn(self, pulse: Pulse) -> None:
        turn = min(pulse.due, pulse.heard_at + self._timeout)
        heapq.heappush(self._turns, (turn, next(self._order), pulse))
