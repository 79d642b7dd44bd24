"""Clients that talk to each other over several servers of which one dies now and then, and a way to
those servers as a proxy without sticky sessions is one."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from roomcall.errors import RoomcallError, ServerUnreachable
from roomcall.protocol import codec, replies, requests
from roomcall.protocol.room import Metadata
from roomcall.signaling.client import LineLost, LineRestored, ServerClient

from .told import Ledger

PATIENCE = 60.0


class Gate:
    """Takes connections at `url`, and hands each to the next server that is there."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.url = ""
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Front(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def onward(self, front: "_Front") -> None:
        loop = asyncio.get_running_loop()
        for _ in self.ports:
            self._turn += 1
            port = self.ports[self._turn % len(self.ports)]
            try:
                await loop.create_connection(lambda: _Back(front), "127.0.0.1", port)
            except OSError:
                continue
            return
        front.transport.abort()

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _End(asyncio.Protocol):
    other: "_End | None" = None
    transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()


class _Front(_End):
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._gate.begin(self._gate.onward(self))

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        else:
            self.other.transport.write(data)

    def join(self, back: "_Back") -> None:
        self.other, back.other = back, self
        for data in self._early:
            back.transport.write(data)
        if self.transport.is_closing():
            back.transport.close()


class _Back(_End):
    def __init__(self, front: _Front) -> None:
        self._front = front

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._front.join(self)


class _Line(ServerClient):
    """Says at once when it is lost, and how many frames were sent since."""

    on_lost: Callable[[int], None]

    def _tell(self, event: Any) -> None:
        if isinstance(event, LineLost):
            self.on_lost(self._outbox.sent - self._at_break)
        super()._tell(event)


class Talker:
    """Client `number` of `room`, in which it says things to the others that it knows."""

    def __init__(self, url: str, room: int, room_id: str, number: int, ledger: Ledger) -> None:
        self.number = number
        self.room = room
        self.peers: dict[str, int] = {}
        self.resumed = self.renewed = 0
        self._room_id = room_id
        self._ledger = ledger
        self._said: deque[tuple[int, int]] = deque(maxlen=5000)
        self._chats = 0
        self._line = _Line(url, patience=PATIENCE)
        self._line.on_lost = self._lost
        self._id = ""

    async def connect(self) -> None:
        self._id = (await self._line.connect()).id
        await self._join()

    async def close(self) -> None:
        await self._line.close()

    async def listen(self) -> None:
        async for event in self._line:
            match event:
                case replies.IceCandidateSignaled(payload=msgspec.Raw() as payload):
                    sender, number = msgspec.json.decode(payload, type=tuple[int, int])
                    self._ledger.receive(sender, self.number, number)
                case replies.ChatMessage(payload=text, id=int(id)):
                    sender, number = map(int, text.split())
                    self._ledger.receive_chat(self.room, self.number, sender, number, id)
                case replies.MemberJoined(member=member) | replies.MemberUpdated(member=member):
                    self.peers[member.id] = int(member.display_name)
                case replies.MemberLeft(member_id=id):
                    self.peers.pop(id, None)
                case replies.Error(request_id=str(about)):
                    receiver, number = map(int, about.split())
                    self._ledger.refuse(self.number, receiver, number)
                case LineRestored(hello=hello):
                    await self._restored(hello)

    async def say(self, chance: random.Random) -> None:
        """Something to somebody; to nobody where nobody is known."""
        to = chance.choice(list(self.peers)) if self.peers else None
        if to is None:
            return
        receiver = self.peers[to]
        number = self._ledger.send(self.number, receiver)
        self._said.append((receiver, number))
        payload = msgspec.Raw(msgspec.json.encode((self.number, number)))
        about = f"{receiver} {number}"
        message = requests.IceCandidate(
            room_id=self._room_id, to=to, payload=payload, request_id=about
        )
        await self._line.send(codec.encode(message))

    async def chat(self) -> None:
        self._chats += 1
        text = f"{self.number} {self._chats}"
        await self._line.send(codec.encode(requests.Chat(room_id=self._room_id, payload=text)))

    def _lost(self, sent_since: int) -> None:
        later = list(self._said)[len(self._said) - sent_since :] if sent_since else ()
        self._ledger.break_off(self.number, later)

    async def _restored(self, hello: replies.ClientId) -> None:
        self.resumed += 1
        if hello.resumed and not hello.gap:
            return
        self._ledger.tell_of_gap(self.number)
        if not hello.resumed:
            self.renewed += 1
            self._id = hello.id
            return await self._join()
        await self._insist(requests.GetRoom(payload=requests.RoomRef(room_id=self._room_id)))

    async def _join(self) -> None:
        payload = requests.JoinRoomPayload(
            room_id=self._room_id,
            name=f"room {self.room}",
            create=True,
            display_name=str(self.number),
            metadata=Metadata(private=True),
            empty_ttl_seconds=600,
        )
        await self._insist(requests.JoinRoom(payload=payload))

    async def _insist(self, request: requests.Request) -> None:
        """The room as it is now. Another break comes as another event: then it is asked again."""
        try:
            answer = await self._line.request(request, replies.RoomJoined, replies.RoomInfo)
        except ServerUnreachable:
            return
        assert isinstance(answer, replies.RoomJoined | replies.RoomInfo)
        members = answer.room.members
        self.peers = {m.id: int(m.display_name) for m in members if m.id != self._id}


async def talk(
    talkers: Sequence[Talker], rate: float, chat_every: int, done: Callable[[], bool]
) -> None:
    """All in turn, `rate` a second, every so many a chat message; until it is done."""
    chance = random.Random(1)
    loop = asyncio.get_running_loop()
    begun, turn = loop.time(), 0
    while not done():
        while turn < (loop.time() - begun) * rate:
            talker = talkers[turn % len(talkers)]
            turn += 1
            try:
                if turn % chat_every:
                    await talker.say(chance)
                else:
                    await talker.chat()
            except RoomcallError:
                continue
        await asyncio.sleep(0.005)
