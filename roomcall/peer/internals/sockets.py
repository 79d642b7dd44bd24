"""The sockets of an ICE agent, with a bad network before them where one is asked for."""

import asyncio
from typing import Any, cast

import aioice.ice
import aioice.turn

from ...network.line import Line

TURN_TRANSPORT = "_TurnTransport__"
FAREWELL = 1.0  # seconds for a TURN server to take an allocation back


class Protocol(aioice.ice.StunProtocol):
    """One socket, or one relay. `line` is what its packets pass through."""

    def __init__(self, receiver: aioice.ice.Connection, line: Line | None) -> None:
        super().__init__(receiver)
        self._line = line
        self._way: _Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._way = _Transport(cast(asyncio.DatagramTransport, transport), self._line)
        super().connection_made(cast(asyncio.BaseTransport, self._way))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._way is not None:
            self._way.closed = True
        super().connection_lost(exc)

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        deliver = super().datagram_received
        if self._line is None:
            deliver(data, addr)
        else:
            self._line.receive(len(data), lambda: deliver(data, addr))


class _Transport:
    """Stands before the transport of a socket or of a relay, whose other methods are its own.

    What is sent after its end is lost, as on a dead path: asyncio's would raise.
    """

    def __init__(self, transport: asyncio.DatagramTransport, line: Line | None) -> None:
        self.closed = False
        self._transport = transport
        self._line = line

    def sendto(self, data: bytes, addr: Any = None) -> None:
        if self._line is None:
            self._deliver(data, addr)
        else:
            self._line.send(len(data), lambda: self._deliver(data, addr))

    def _deliver(self, data: bytes, addr: Any) -> None:
        if not self.closed:
            self._transport.sendto(data, addr)

    def close(self) -> None:
        self.closed = True
        self._transport.close()
        if isinstance(self._transport, aioice.turn.TurnTransport):
            self._bound_farewell(self._transport)

    def _bound_farewell(self, relay: aioice.turn.TurnTransport) -> None:
        """It gives the allocation back, and would wait half a minute for a server that is gone."""
        closing: asyncio.Task[None] = getattr(relay, f"{TURN_TRANSPORT}close_task")
        sending: set[asyncio.Task[None]] = getattr(relay, f"{TURN_TRANSPORT}send_tasks")

        def give_up() -> None:
            for task in (closing, *sending):
                task.cancel()

        handle = asyncio.get_running_loop().call_later(FAREWELL, give_up)
        closing.add_done_callback(lambda _: handle.cancel())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
