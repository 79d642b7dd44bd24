"""One connection to Redis, and what is called on it: in order, without waiting for what was called
before, and never twice."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from redis.exceptions import RedisError, ResponseError

from ...figures import StoreCalls
from .address import TIMEOUT, Address, reason
from .scripts import SCRIPTS
from .wire import Argument

AT_ONCE = 1000  # calls that are not answered; with more of them those that come up wait

# What a script says of who calls; `fence` finds out what that means.
_REFUSALS = (b"forgotten", b"buried", b"old")


class Broken(Exception):
    """The connection is of no use any more. What was sent on it may happen yet, or has happened."""


class Unsent(Exception):
    """The connection was of no use before this was sent: it has not happened."""


Arguments = Callable[[], Sequence[Argument]]


@dataclass(slots=True, eq=False)
class Call:
    """`answered` gets the reply, a `ResponseError`, `Broken` or `Unsent`. A script is named; a
    command of Redis begins its arguments. `whole`: an error of Redis breaks the connection."""

    name: str
    arguments: Arguments
    answered: Callable[[Any], None]
    whole: bool = True


class Link:
    """Open once it is there, until it is broken."""

    def __init__(self, address: Address, figures: StoreCalls) -> None:
        self._prefix = address.prefix
        self._figures = figures
        self._connection = address.connection()
        self._hashes: dict[str, str] = {}
        self._waiting: deque[Call] = deque()
        self._sent: deque[tuple[Call, float]] = deque()
        self._wake = asyncio.Event()
        self._under_way = asyncio.Event()

    @classmethod
    async def open(cls, address: Address, figures: StoreCalls) -> Self:
        """Raises `RedisError`, `OSError` or `TimeoutError`."""
        self = cls(address, figures)
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._connection.connect()
                await self._write([("SCRIPT", "LOAD", text) for text in SCRIPTS.values()])
                for name in SCRIPTS:
                    self._hashes[name] = (await self._read()).decode()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """Whatever was called and not answered is broken, or has never been sent."""
        await self._connection.disconnect(nowait=True)
        sent, waiting = [call for call, _ in self._sent], list(self._waiting)
        self._sent.clear()
        self._waiting.clear()
        for call in sent:
            self._figures.errors[call.name] += 1
            call.answered(Broken())
        for call in waiting:
            call.answered(Unsent())

    def call(self, call: Call) -> None:
        """After all that was called before."""
        self._waiting.append(call)
        self._wake.set()

    async def request(self, name: str, *arguments: Argument, whole: bool = True) -> Any:
        """While `send` and `receive` run. Raises `Broken`, `Unsent` or, where it is not `whole`,
        `ResponseError`."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def answered(value: Any) -> None:
            if reply.done():
                pass
            elif whole and isinstance(value, ResponseError):
                reply.set_exception(Broken(reason(value)))
            elif isinstance(value, Exception):
                reply.set_exception(value)
            else:
                reply.set_result(value)

        self.call(Call(name, lambda: arguments, answered, whole))
        return await reply

    async def once(self, name: str, *arguments: Argument, timeout: float = TIMEOUT) -> Any:
        """Before `send`. Raises `RedisError` or `TimeoutError`."""
        started = time.perf_counter()
        async with asyncio.timeout(timeout):
            await self._write([self._command(Call(name, lambda: arguments, lambda reply: None))])
            reply = await self._read()
        self._figures.observe(name, time.perf_counter() - started)
        return reply

    async def send(self) -> None:
        """Send what is called, a turn of the event loop at once, until the connection breaks:
        raises `Broken`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and len(self._sent) < AT_ONCE:
                calls = [self._waiting.popleft() for _ in range(len(self._waiting))]
                self._sent.extend((call, time.perf_counter()) for call in calls)
                try:
                    async with asyncio.timeout(TIMEOUT):
                        await self._write([self._command(call) for call in calls])
                except (RedisError, OSError) as error:
                    raise Broken(reason(error)) from error
                self._under_way.set()

    async def receive(self) -> None:
        """Give every call its answer, until the connection breaks: raises `Broken`."""
        while True:
            await self._under_way.wait()
            self._under_way.clear()
            while self._sent:
                call, at = self._sent[0]
                try:
                    async with asyncio.timeout(TIMEOUT):
                        reply = await self._read()
                except ResponseError as error:
                    self._figures.errors[call.name] += 1
                    reply = error
                except (RedisError, OSError) as error:
                    raise Broken(reason(error)) from error
                self._figures.observe(call.name, time.perf_counter() - at)
                if call.whole and isinstance(reply, list) and reply and reply[0] in _REFUSALS:
                    raise Broken(f"this node is {reply[0].decode()} there")
                self._sent.popleft()
                call.answered(reply)
                if call.whole and isinstance(reply, ResponseError):
                    raise Broken(reason(reply)) from reply
            if self._waiting:
                self._wake.set()

    async def read(self, *command: Argument, timeout: float = TIMEOUT) -> Any:
        """Of a connection that is for this alone. Raises `Broken`."""
        try:
            async with asyncio.timeout(timeout):
                await self._write([command])
                return await self._read()
        except (RedisError, OSError) as error:
            raise Broken(reason(error)) from error

    def _command(self, call: Call) -> Sequence[Argument]:
        digest = self._hashes.get(call.name)
        if digest is None:
            return call.arguments()
        return ("EVALSHA", digest, 0, self._prefix, *call.arguments())

    async def _write(self, commands: Sequence[Sequence[Argument]]) -> None:
        packed = self._connection.pack_commands(commands)
        await self._connection.send_packed_command(packed, check_health=False)

    async def _read(self) -> Any:
        return await self._connection.read_response(disable_decoding=True)
