"""Servers that are killed while people talk over them, and what becomes of what they say."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from .talkers import Gate, Talker, talk
from .told import Ledger

__all__ = ["Gate", "Server", "heard_all", "talk", "talking"]

COMMAND = Path(sys.executable).with_name("roomcall")


class Server:
    """A process that serves, and is killed and started again at the same port."""

    def __init__(self, store: str, *options: str) -> None:
        self.port = 0
        self._store = store
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(str(COMMAND), "serve", "--port", str(self.port), "--store", self._store),
            *("--rate-messages", "0", *self._options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            line = (await self._process.stdout.readline()).decode()
        self.port = int(line.rpartition(":")[2])

    async def stop(self) -> None:
        """In good order: until its clients are elsewhere."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(30):
            await self._process.wait()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def talking(gate: Gate, clients: int) -> AsyncIterator[tuple[Ledger, list[Talker]]]:
    """So many, in rooms of four."""
    ledger = Ledger()
    rooms = [str(uuid4()) for _ in range(clients // 4)]
    talkers = [
        Talker(gate.url, number // 4, rooms[number // 4], number, ledger)
        for number in range(clients)
    ]
    listening: list[asyncio.Task[None]] = []
    try:
        for talker in talkers:
            await talker.connect()
            listening.append(asyncio.create_task(talker.listen()))
        yield ledger, talkers
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for talker in talkers:
            await talker.close()


async def heard_all(ledger: Ledger) -> None:
    """Wait until all has come of which nobody was told that it does not."""
    async with asyncio.timeout(30):
        while ledger.lost()[1]:  # noqa: ASYNC110 - each message would have to look
            await asyncio.sleep(0.1)
