"""The line breaks after so many bytes, wherever that is: in the handshake of the resume, in what is
sent again, in the middle of a message, between a message and its reply."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.breakable import BreakableWay

STEPS = range(0, 900, 11)  # bytes


class Talker:
    """A client that comes back whenever it is cut off, and sends again what has not arrived.

    `counts`: it says how much it has heard; else it may miss some of that.
    """

    def __init__(self, url: str, counts: bool) -> None:
        self._url = url
        self._counts = counts
        self._said: list[str] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._hello: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []
        self.here = asyncio.Event()
        self._news = asyncio.Event()

    @property
    def id(self) -> str:
        return str(self._hello["id"])

    async def say(self, type: str, payload: Any, **fields: Any) -> None:
        self._said.append(json.dumps({"type": type, "payload": payload, **fields}))
        if self._socket is not None:
            try:
                await self._socket.send_str(self._said[-1])
            except (aiohttp.ClientError, ConnectionError):
                pass  # it is sent again

    async def live(self) -> None:
        while True:
            # A session each time: what is left of the last one is dropped without a goodbye.
            async with aiohttp.ClientSession() as session:
                try:
                    await self._connection(session)
                except (aiohttp.ClientError, ConnectionError):
                    pass
            self._socket = None
            self.here.clear()

    async def _connection(self, session: aiohttp.ClientSession) -> None:
        query = {}
        if self._hello:
            query["resume"] = self._hello["resumeToken"]
            if self._counts:
                query["received"] = str(len(self.heard))
        socket = await session.ws_connect(f"{self._url}/ws", params=query)
        first = await socket.receive()
        if first.type is not aiohttp.WSMsgType.TEXT:
            return
        hello = json.loads(first.data)
        if self._hello:
            assert (hello["resumed"], hello["id"]) == (True, self.id)
        self._hello = hello
        arrived = hello.get("received", 0)
        while arrived < len(self._said):
            await socket.send_str(self._said[arrived])
            arrived += 1
        self._socket = socket
        self.here.set()
        async for message in socket:
            self.heard.append(json.loads(message.data))
            self._news.set()

    async def hears(self, id: int) -> None:
        """Wait until the chat message of this id has come."""
        while not self.heard or self.heard[-1].get("id") != id:
            self._news.clear()
            await self._news.wait()


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_break_at_every_point(
    connect_to: Any, serve: Any, direction: str, counts: bool
) -> None:
    async with serve(rate_messages=0) as server:
        way = BreakableWay(server.url)
        await way.open()
        witness = await connect_to(server.url)
        room = await witness.create()
        talker = Talker(way.url, counts)
        living = asyncio.create_task(talker.live())
        try:
            await talker.say("join-room", {"roomId": room})
            await witness.hear("member-joined")
            heard: list[dict[str, Any]] = []
            for allowed in STEPS:
                way.allowed[direction], before = allowed, way.connections
                way.cut()
                await talker.say("chat", f"{len(heard)}", roomId=room)
                await way.next_connection(before)
                await talker.say("chat", f"{len(heard)} too", roomId=room)
                await witness.say("chat", f"{len(heard)} as well", roomId=room)
                way.allowed[direction] = None
                heard += [await witness.hear("chat") for _ in range(3)]
                async with asyncio.timeout(10):
                    await talker.here.wait()
            await check(talker, witness, heard, counts)
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            await way.close()


async def check(talker: Talker, witness: Any, heard: list[dict[str, Any]], counts: bool) -> None:
    """The witness has heard all of it, once and in order, and nothing else: no leave, no error."""
    assert [message["id"] for message in heard] == list(range(1, 3 * len(STEPS) + 1))
    own = [message["payload"] for message in heard if message["from"] == talker.id]
    assert own == [f"{3 * n}{more}" for n in range(len(STEPS)) for more in ("", " too")]
    # What the talker hears from now on does arrive.
    last = await witness.ask("chat", "last", roomId=heard[0]["roomId"])
    async with asyncio.timeout(10):
        await talker.hears(last["id"])
    first, *rest = talker.heard
    ids = [message["id"] for message in rest]
    assert ids == sorted(set(ids))
    if counts:
        assert first["type"] == "room-joined"
        assert ids == list(range(1, last["id"] + 1))
