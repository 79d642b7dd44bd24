"""A way to the server that breaks when a test says so."""

import asyncio
from urllib.parse import urlsplit


class BreakableWay:
    """Forwards bytes between clients and a server, up to `allowed` of them each way a connection.

    At the limit the line ends: what was forwarded has arrived, what comes after is lost.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = parts.hostname, parts.port
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""
        self.allowed: dict[str, int | None] = {"up": None, "down": None}
        self.blocked = False
        self.connections = 0
        self._connected = asyncio.Event()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._connected.set()
        if self.blocked:
            return writer.transport.abort()
        self._writers.add(writer)  # so that it is cut, also before it has led anywhere
        try:
            onward, back = await asyncio.open_connection(*self._target)
        except OSError:  # nobody is there
            self._writers.discard(writer)
            return writer.transport.abort()
        self._writers.add(back)
        pumps = [self._pump("up", reader, back), self._pump("down", onward, writer)]
        tasks = [asyncio.create_task(pump) for pump in pumps]
        self._pumps |= set(tasks)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for end in (writer, back):
                end.transport.abort()
                self._writers.discard(end)

    async def _pump(
        self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        left = self.allowed[way]
        while data := await reader.read(65_536):
            data = data[:left]
            writer.write(data)
            await writer.drain()
            if left is not None:
                left -= len(data)
                if not left:  # what was let through arrives before the end does
                    writer.close()
                    return await writer.wait_closed()

    async def next_connection(self, after: int) -> None:
        """Wait until there have been more `connections` than that."""
        async with asyncio.timeout(10):
            while self.connections <= after:
                self._connected.clear()
                await self._connected.wait()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()
