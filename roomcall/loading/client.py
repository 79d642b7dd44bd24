"""One client of a load: a WebSocket, a room, and what it hears."""

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from ..protocol import codec, replies, requests
from ..protocol.errors import REFUSED_CLOSE_CODES
from ..protocol.room import Metadata

if TYPE_CHECKING:
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
    """Client `number` of a load. `peers` are the ids that it knows to be in its room."""

    def __init__(self, load: "Load", number: int, room: int) -> None:
        self.number = number
        self.room = room
        self.id = ""
        self.peers: set[str] = set()
        self._load = load
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._joined = asyncio.get_running_loop().create_future()
        self._asked_at = 0.0
        self._leaving = False

    async def run(self) -> None:
        """Connect, join, and listen until the end. What fails is told to the load."""
        load = self._load
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
            self.id = hello.id
            self._asked_at = time.perf_counter()
            await self._send(self._join())
            await self._listen(self._socket)
        except TimeoutError:
            load.fail(self, f"no connection within {_CONNECT_TIMEOUT:.0f} s")
        except (aiohttp.ClientError, OSError) as error:
            load.fail(self, f"no connection: {error}")
        except (msgspec.DecodeError, ValueError) as error:
            load.fail(self, f"a message that is none of ours: {error}")
        finally:
            self._settle()
            if self._socket is not None:
                await self._socket.close()

    async def joined(self) -> None:
        """Wait until it is in its room, or has failed."""
        await self._joined

    async def _send(self, request: requests.Request) -> None:
        """What ends the connection shows where it is read."""
        socket = self._socket
        if socket is None or socket.closed:
            return
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await socket.send_str(codec.encode(request).decode())
        except TimeoutError:
            self._load.fail(self, f"the server has read nothing for {_SEND_TIMEOUT:.0f} s")
        except (aiohttp.ClientError, OSError):
            pass

    def leave(self) -> None:
        """What ends from now on has not failed."""
        self._leaving = True

    async def signal(self, to: str, receiver: int, number: int) -> None:
        payload = msgspec.Raw(self._note(receiver, number))
        await self._send(requests.IceCandidate(to=to, room_id=self._room_id, payload=payload))

    async def chat(self, number: int) -> None:
        payload = self._note(-1, number).decode()
        await self._send(requests.Chat(room_id=self._room_id, payload=payload))

    @property
    def _room_id(self) -> str:
        return self._load.room_ids[self.room]

    def _note(self, receiver: int, number: int) -> bytes:
        return msgspec.json.encode(_Note(self.number, receiver, number, time.perf_counter()))

    def _join(self) -> requests.JoinRoom:
        payload = requests.JoinRoomPayload(
            room_id=self._room_id,
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
        if not self._leaving:
            self._load.fail(self, _closed(socket))

    def _hear(self, frame: str) -> None:
        now, load = time.perf_counter(), self._load
        match codec.decode_reply(frame):
            case replies.IceCandidateSignaled(room_id=room, payload=msgspec.Raw() as payload):
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
            case replies.RoomJoined(room=room_info):
                load.result.times["join"].add(now - self._asked_at)
                self.peers.update(room_info.participants)
                load.result.joined += 1
                self._settle()
            case replies.MemberLeft(member_id=id):
                self.peers.discard(id)
            case replies.Error(code=code, message=text):
                load.error(self, code, text)
                self._settle()

    def _settle(self) -> None:
        if not self._joined.done():
            self._joined.set_result(None)


def _closed(socket: aiohttp.ClientWebSocketResponse) -> str:
    code = socket.close_code or 0
    return f"closed by the server with {code} {REFUSED_CLOSE_CODES.get(code, '')}".rstrip()
