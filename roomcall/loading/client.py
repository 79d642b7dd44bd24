"""One client of a load: a WebSocket, a room, and what it hears."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from ..errors import RoomcallError
from ..protocol import codec, replies, requests
from ..protocol.errors import REFUSED_CLOSE_CODES
from ..protocol.room import Metadata, Room
from ..signaling.base import MemberGone, MemberHere, Signal
from ..signaling.room import message_of

if TYPE_CHECKING:
    from .media import Media
    from .running import Load

_SEND_TIMEOUT = 5.0
_CONNECT_TIMEOUT = 20.0


class _Note(msgspec.Struct, array_like=True):
    """What a message of a load says of itself."""

    sender: int
    receiver: int
    number: int
    sent_at: float


_notes = msgspec.json.Decoder(_Note)


class LoadClient:
    """Client `number` of a load. `peers` are the ids that it knows to be in its room; `media` is
    its call, once it has joined, in a load that has media."""

    def __init__(self, load: "Load", number: int, room: int) -> None:
        self.number = number
        self.room = room
        self.id = ""
        self.peers: set[str] = set()
        self.load = load
        self.media: Media | None = None
        self._calling: asyncio.Task[None] | None = None
        self._hello: replies.ClientId
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._joined = asyncio.get_running_loop().create_future()
        self._asked_at = 0.0
        self.leaving = False

    async def run(self) -> None:
        """Connect, join, and listen until the end. What fails is told to the load."""
        load = self.load
        try:
            began = time.perf_counter()
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                self._socket = await load.connect()
                first = await self._socket.receive()
            if first.type is not aiohttp.WSMsgType.TEXT:
                return load.fail(self, _closed(self._socket))
            hello = codec.decode_reply(first.data)
            if not isinstance(hello, replies.ClientId):
                return load.fail(self, "the server does not begin with client-id")
            load.result.times["connect"].add(time.perf_counter() - began)
            self.id, self._hello = hello.id, hello
            self._asked_at = time.perf_counter()
            await self.send(codec.encode(self._join()))
            await self._listen(self._socket)
        except TimeoutError:
            load.fail(self, f"no connection within {_CONNECT_TIMEOUT:.0f} s")
        except (aiohttp.ClientError, OSError) as error:
            load.fail(self, f"no connection: {error}")
        except (msgspec.DecodeError, ValueError) as error:
            load.fail(self, f"a message that is none of ours: {error}")
        finally:
            self._settle()
            await self._hang_up()
            if self._socket is not None:
                await self._socket.close()

    async def joined(self) -> None:
        """Wait until it is in its room, or has failed."""
        await self._joined

    async def send(self, frame: bytes) -> None:
        """What ends the connection shows where it is read."""
        socket = self._socket
        if socket is None or socket.closed:
            return
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await socket.send_str(frame.decode())
        except TimeoutError:
            self.load.fail(self, f"the server has read nothing for {_SEND_TIMEOUT:.0f} s")
        except (aiohttp.ClientError, OSError):
            pass

    def leave(self) -> None:
        """What ends from now on has not failed."""
        self.leaving = True

    async def signal(self, to: str, receiver: int, number: int) -> None:
        payload = msgspec.Raw(self._note(receiver, number))
        request = requests.IceCandidate(to=to, room_id=self.room_id, payload=payload)
        await self.send(codec.encode(request))

    async def chat(self, number: int) -> None:
        payload = self._note(-1, number).decode()
        await self.send(codec.encode(requests.Chat(room_id=self.room_id, payload=payload)))

    @property
    def room_id(self) -> str:
        return self.load.room_ids[self.room]

    def _note(self, receiver: int, number: int) -> bytes:
        return msgspec.json.encode(_Note(self.number, receiver, number, time.perf_counter()))

    def _join(self) -> requests.JoinRoom:
        payload = requests.JoinRoomPayload(
            room_id=self.room_id,
            name=f"load {self.room}",
            create=True,
            display_name=f"load {self.number}",
            metadata=Metadata(private=True),
        )
        return requests.JoinRoom(payload=payload)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            self._hear(message.data)
        if not self.leaving:
            self.load.fail(self, _closed(socket))

    def _hear(self, frame: str) -> None:
        now, load = time.perf_counter(), self.load
        heard = codec.decode_reply(frame)
        match heard:
            case replies.IceCandidateSignaled(room_id=room, payload=msgspec.Raw() as payload) if (
                bytes(payload).startswith(b"[")
            ):  # of a call they are objects
                note = _notes.decode(payload)
                load.ledger.receive_signal(
                    self.number, load.number_of_room(room), note.sender, note.receiver, note.number
                )
                load.result.times["signal"].add(now - note.sent_at)
            case replies.ChatMessage(room_id=room, payload=text, id=int(id)):
                note = _notes.decode(text)
                load.ledger.receive_chat(
                    self.number, load.number_of_room(room), note.sender, note.number, id
                )
                load.result.times["chat"].add(now - note.sent_at)
            case replies.MemberJoined(member_id=id):
                if id in self.peers:
                    load.ledger.doubled += 1
                self.peers.add(id)
                if self.media is not None:
                    self.media.hear(MemberHere(id))
            case replies.Signaled(sender=sender) if self.media is not None:
                self.media.hear(Signal(sender, message_of(heard)))
            case replies.RoomJoined(room=room_info):
                load.result.times["join"].add(now - self._asked_at)
                self.peers.update(room_info.participants)
                load.result.joined += 1
                self._call(room_info)
                self._settle()
            case replies.MemberLeft(member_id=id):
                self.peers.discard(id)
                if self.media is not None:
                    self.media.hear(MemberGone(id))
            case replies.Error(code=code, message=text):
                load.error(self, code, text)
                self._settle()

    def _call(self, room: Room) -> None:
        self.media = self.load.media_of(self, self._hello.ice_servers)
        if self.media is not None:
            for id in room.participants:
                if id != self.id:
                    self.media.hear(MemberHere(id, before=True))
            self._calling = asyncio.create_task(self._stay(self.media))

    async def _stay(self, media: "Media") -> None:
        try:
            await media.run()
        except RoomcallError as error:
            self.load.fail(self, str(error))

    async def _hang_up(self) -> None:
        if self.media is not None and self._calling is not None:
            await self.media.call.leave()
            self._calling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._calling

    def _settle(self) -> None:
        if not self._joined.done():
            self._joined.set_result(None)


def _closed(socket: aiohttp.ClientWebSocketResponse) -> str:
    code = socket.close_code or 0
    return f"closed by the server with {code} {REFUSED_CLOSE_CODES.get(code, '')}".rstrip()
