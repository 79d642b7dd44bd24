"""A bad network on the event loop: packets in, and out when they are due."""

import asyncio
from collections.abc import Callable

from .conditions import Network
from .pipe import Pipe

MAX_ON_THE_WAY = 10_000  # packets of a direction; what comes beyond is lost, as in a full queue


class Line:
    """Both directions of one peer, for all its sockets. It begins when it is made."""

    def __init__(self, network: Network) -> None:
        self._loop = asyncio.get_running_loop()
        self.begun = self._loop.time()
        self._pipes = {
            "send": Pipe(network.send, network.seed, "send"),
            "recv": Pipe(network.recv, network.seed, "recv"),
        }
        self._on_the_way = {"send": 0, "recv": 0}

    def send(self, size: int, deliver: Callable[[], None]) -> None:
        """Call `deliver` whenever a packet of `size` bytes that is sent now comes out."""
        self._pass("send", size, deliver)

    def receive(self, size: int, deliver: Callable[[], None]) -> None:
        """The same for a packet that has come."""
        self._pass("recv", size, deliver)

    def _pass(self, way: str, size: int, deliver: Callable[[], None]) -> None:
        now = self._loop.time() - self.begun
        for out in self._pipes[way].enter(size, now):
            if out <= now:
                deliver()
            elif self._on_the_way[way] < MAX_ON_THE_WAY:
                self._on_the_way[way] += 1
                self._loop.call_at(self.begun + out, self._arrive, way, deliver)

    def _arrive(self, way: str, deliver: Callable[[], None]) -> None:
        self._on_the_way[way] -= 1
        deliver()
