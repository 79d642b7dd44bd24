"""The WebSocket client: one member's end of a room on a roomcall server."""

import asyncio
import itertools
import logging
import ssl as ssl_module
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
import msgspec

from ..errors import ProtocolError, Refused, ServerUnreachable
from ..protocol import codec, replies, requests
from ..protocol.errors import REFUSED_CLOSE_CODES
from ..protocol.room import Metadata, Room
from .base import MemberGone, MemberHere, Signal
from .url import websocket_url

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
REPLY_TIMEOUT = 10.0
QUIET_TIMEOUT = 20.0  # heard nothing for so long: ask whether the server is there
PONG_TIMEOUT = 5.0
MAX_PENDING_EVENTS = 1000  # then the socket is not read until they are taken

SSLOption = ssl_module.SSLContext | bool | None
R = TypeVar("R", bound=replies.Reply)


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """How a room is joined, or made: as `join-room` and `create-room` have it.

    `token` is the JWT that a server may demand of everybody.
    """

    name: str = ""
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    create: bool = True
    private: bool = False
    max_participants: int = 0


class RoomClient:
    """Joins one room. Implements `Signaling`; what else the server says comes as it is typed in
    `protocol.replies`."""

    def __init__(
        self, server: str, room: str, options: JoinOptions, *, ssl: SSLOption = None
    ) -> None:
        self.server = server
        self.id = ""
        self.room: Room | None = None
        self.created = False
        self.ice_servers: list[dict[str, Any]] = []
        self._wanted = room
        self._options = options
        self._ssl = True if ssl is None else ssl
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[Any] = asyncio.Queue(MAX_PENDING_EVENTS)
        self._waiting: dict[int, asyncio.Future[replies.Reply]] = {}
        self._request_ids = itertools.count(1)
        self._lost: Exception | None = None

    async def connect(self) -> str:
        """Connect and join. Raises `ServerUnreachable`, `Refused` or `ProtocolError`."""
        try:
            self._socket = await self._open()
            hello = await self._hello()
            self.id = hello.id
            self.ice_servers = hello.ice_servers
            self._reader = asyncio.create_task(self._read(), name="roomcall-signaling")
            self.room = await self._join()
        except BaseException:
            await self.close()
            raise
        for member in self.room.members:
            if member.id != self.id:
                self._events.put_nowait(MemberHere(member.id, member.display_name, before=True))
        return self.id

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        try:
            url = websocket_url(self.server)
        except ValueError as error:
            raise ServerUnreachable(f"{error} — give it as http://host:port") from None
        # In a header, and not in the URL, which ends up in logs.
        token = self._options.token
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._session = aiohttp.ClientSession(trust_env=True, headers=headers)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await self._session.ws_connect(url, ssl=self._ssl, max_msg_size=0)
        except aiohttp.ClientConnectorCertificateError as error:
            reason = error.certificate_error
            raise ServerUnreachable(
                f"the certificate of {self.server} is not trusted ({reason})"
                " — name its authority with --ca-file"
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            raise ProtocolError(
                f"{self.server} answers {error.status} instead of a WebSocket"
                " — is it a roomcall server?"
            ) from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise ServerUnreachable(
                f"{self.server} cannot be reached — is `roomcall serve` running there?"
            ) from None

    async def _hello(self) -> replies.ClientId:
        assert self._socket is not None
        try:
            message = await self._socket.receive(CONNECT_TIMEOUT)
        except TimeoutError:
            raise ProtocolError(f"{self.server} says nothing — is it a roomcall server?") from None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise self._closed_error()
        reply = self._decode(message.data)
        if not isinstance(reply, replies.ClientId):
            raise ProtocolError(f"{self.server} does not begin with client-id — is it roomcall's?")
        return reply

    async def _join(self) -> Room:
        options = self._options
        settings: dict[str, Any] = {
            "display_name": options.name,
            "max_participants": options.max_participants,
            "metadata": Metadata(private=options.private),
            "password": options.password,
        }
        if options.private and not _is_id(self._wanted):
            made = await self.request(
                requests.CreateRoom(
                    payload=requests.CreateRoomPayload(name=self._wanted, **settings)
                ),
                replies.RoomCreated,
            )
            self.created = True
            return made.room
        joined = await self.request(
            requests.JoinRoom(
                payload=requests.JoinRoomPayload(
                    room_id=self._wanted if _is_id(self._wanted) else None,
                    name=self._wanted,
                    create=options.create,
                    **settings,
                )
            ),
            replies.RoomJoined,
        )
        # A room that this join has made is as old as its first member.
        room = joined.room
        self.created = len(room.members) == 1 and room.members[0].joined_at == room.created_at
        return room

    async def request(self, message: requests.Request, reply: type[R]) -> R:
        """Send and await the reply to it. Raises `Refused` with the protocol's code."""
        request_id = next(self._request_ids)
        future = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            await self._write(codec.encode(msgspec.structs.replace(message, request_id=request_id)))
            async with asyncio.timeout(REPLY_TIMEOUT):
                answer = await future
        except TimeoutError:
            raise ServerUnreachable(f"{self.server} does not answer — try again") from None
        finally:
            del self._waiting[request_id]
        if isinstance(answer, replies.Error):
            raise Refused(answer.code, f"{self.server}: {answer.code}: {answer.message}")
        if not isinstance(answer, reply):
            raise ProtocolError(f"{self.server} answers with {type(answer).__name__}")
        return answer

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        assert self.room is not None, "joined before it sends"
        signal = {"type": message["type"], "roomId": self.room.id, "to": to}
        if "payload" in message:
            signal["payload"] = message["payload"]
        try:
            await self._write(msgspec.json.encode(signal))
        except ServerUnreachable:
            logger.debug("signal to %s lost with the connection", to)

    async def chat(self, text: str, to: str | None = None) -> replies.ChatMessage:
        """Say something to all, or to one member. Returns the message as the room has it.

        Raises `Refused`.
        """
        assert self.room is not None, "joined before it chats"
        addressee = msgspec.UNSET if to is None else to
        message = requests.Chat(room_id=self.room.id, payload=text, to=addressee)
        return await self.request(message, replies.ChatMessage)

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Ends after `close`; raises `ServerUnreachable` or `Refused` where the server ended it."""
        while (event := await self._events.get()) is not None:
            yield event
        if self._lost is not None:
            raise self._lost

    async def close(self) -> None:
        """Leave in good order where the server still answers."""
        if self._socket is not None and not self._socket.closed and self.room is not None:
            try:
                room = requests.RoomRef(room_id=self.room.id)
                async with asyncio.timeout(2.0):
                    await self.request(requests.LeaveRoom(payload=room), replies.RoomLeft)
            except (TimeoutError, ServerUnreachable, Refused, ProtocolError) as error:
                logger.debug("left without a word from the server: %s", error)
        self.room = None
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
            self._end(None)
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()

    async def _write(self, frame: bytes) -> None:
        assert self._socket is not None
        try:
            await self._socket.send_str(frame.decode())
        except (aiohttp.ClientError, ConnectionError):
            raise ServerUnreachable(f"{self.server} was lost") from None

    async def _read(self) -> None:
        """Frames to replies and events, until the connection ends."""
        assert self._socket is not None
        asked = False
        while True:
            try:
                message = await self._socket.receive(PONG_TIMEOUT if asked else QUIET_TIMEOUT)
            except TimeoutError:
                if asked:
                    return self._end(ServerUnreachable(f"{self.server} has fallen silent"))
                asked = True
                await self._socket.send_str('{"type": "ping"}')
                continue
            asked = False
            if message.type is not aiohttp.WSMsgType.TEXT:
                return self._end(self._closed_error())
            try:
                reply = self._decode(message.data)
            except ProtocolError as error:
                logger.warning("%s", error)
                continue
            if reply is not None:
                await self._dispatch(reply)

    async def _dispatch(self, reply: replies.Reply) -> None:
        if isinstance(reply.request_id, int) and (f := self._waiting.get(reply.request_id)):
            if not f.done():
                f.set_result(reply)
            if not isinstance(reply, replies.ChatMessage):
                return  # one's own chat is an event as well
        match reply:
            case replies.Pong():
                pass
            case replies.Error(code=code, message=text):
                logger.debug("the server says %s: %s", code, text)
            case replies.MemberJoined(member=member):
                await self._events.put(MemberHere(member.id, member.display_name))
            case replies.MemberLeft(member_id=id, reason=reason):
                await self._events.put(MemberGone(id, reason))
            case replies.Signaled(sender=sender, payload=payload):
                message = {"type": type(reply).__struct_config__.tag}
                if payload is not msgspec.UNSET:
                    message["payload"] = msgspec.json.decode(payload)
                await self._events.put(Signal(sender, message))
            case _:
                await self._events.put(reply)

    def _decode(self, frame: str) -> replies.Reply | None:
        try:
            return codec.decode_reply(frame)
        except msgspec.DecodeError as error:
            raise ProtocolError(f"{self.server} sent what is no message: {error}") from None

    def _closed_error(self) -> ServerUnreachable | Refused:
        assert self._socket is not None
        code = self._socket.close_code
        name = None if code is None else REFUSED_CLOSE_CODES.get(code)
        if name is not None:
            return Refused(name, f"{self.server} closed the connection: {name} ({code})")
        return ServerUnreachable(f"{self.server} closed the connection ({code})")

    def _end(self, error: Exception | None) -> None:
        self._lost = error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error or ServerUnreachable(f"{self.server} was left"))
        while True:
            try:
                return self._events.put_nowait(None)
            except asyncio.QueueFull:
                self._events.get_nowait()  # nobody acts on the oldest once the room is lost


def _is_id(room: str) -> bool:
    try:
        return str(UUID(room)) == room.lower()
    except ValueError:
        return False
