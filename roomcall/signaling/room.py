"""One member's end of a room on a roomcall server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import Refused, RoomcallError, ServerUnreachable
from ..protocol import replies, requests
from ..protocol.errors import ErrorCode
from ..protocol.room import Metadata, Room
from .base import Lost, MemberGone, MemberHere, Restored, Signal
from .client import RECONNECT_FOR, LineLost, LineRestored, ServerClient
from .websocket import SSLOption

logger = logging.getLogger(__name__)

LEAVE_TIMEOUT = 2.0
HISTORY_PAGE = 100


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
    wait_if_full: bool = False


class RoomClient:
    """Joins one room. Implements `Signaling`; what else the server says comes as it is typed in
    `protocol.replies`.

    `on_queued` is told the position in the queue of the room, and each new one.
    """

    def __init__(
        self,
        server: str,
        room: str,
        options: JoinOptions,
        *,
        ssl: SSLOption = None,
        patience: float = RECONNECT_FOR,
    ) -> None:
        self.id = ""
        self.room: Room | None = None
        self.created = False
        self.ice_servers: list[dict[str, Any]] = []
        self.on_queued: Callable[[int], None] | None = None
        self._present: set[str] = set()
        self._wanted = room
        self._options = options
        self._client = ServerClient(server, token=options.token, ssl=ssl, patience=patience)

    async def connect(self) -> str:
        """Connect and join. Raises `ServerUnreachable`, `Refused` or `ProtocolError`."""
        try:
            self._greeted(await self._client.connect())
            if self._options.private and not is_room_id(self._wanted):
                made = requests.CreateRoomPayload(name=self._wanted, **self._settings())
                reply = await self._client.request(
                    requests.CreateRoom(payload=made), replies.RoomCreated
                )
                self._entered(reply.room)
                self.created = True
            else:
                await self._join()
        except BaseException:
            await self.close()
            raise
        return self.id

    def _greeted(self, hello: replies.ClientId) -> None:
        self.id = hello.id
        self.ice_servers = hello.ice_servers

    def _entered(self, room: Room) -> None:
        self.room, self._present = room, set(room.participants)

    def _settings(self) -> dict[str, Any]:
        options = self._options
        return {
            "display_name": options.name,
            "max_participants": options.max_participants,
            "metadata": Metadata(private=options.private),
            "password": options.password,
        }

    async def _join(self) -> None:
        wanted = requests.JoinRoomPayload(
            room_id=self._wanted if is_room_id(self._wanted) else None,
            name=self._wanted,
            create=self._options.create,
            wait_if_full=self._options.wait_if_full,
            **self._settings(),
        )
        room = await self._enter(wanted)
        # A room that this join has made is as old as its first member.
        self._entered(room)
        self.created = len(room.members) == 1 and room.members[0].joined_at == room.created_at

    async def _enter(self, wanted: requests.JoinRoomPayload) -> Room:
        request = requests.JoinRoom(payload=wanted)
        reply = await self._client.request(request, replies.RoomJoined, replies.Queued)
        if isinstance(reply, replies.RoomJoined):
            return reply.room
        assert isinstance(reply, replies.Queued)
        self._queued(reply)
        async for event in self._client:
            match event:
                case replies.RoomJoined(room=room):
                    return room
                case replies.Queued():
                    self._queued(event)
                case replies.RoomClosed():
                    raise Refused("room-closed", f"{wanted.name} was closed — make it anew")
                case replies.Error(code=code, message=text):
                    raise Refused(code, f"{code}: {text}")
                case LineRestored(hello) if not hello.resumed:
                    self._greeted(hello)
                    return await self._enter(wanted)
                case LineRestored(hello) if hello.gap is True:
                    return await self._enter_again(wanted, reply.room_id)
        raise ServerUnreachable("left while waiting for a place")

    async def _enter_again(self, wanted: requests.JoinRoomPayload, id: str) -> Room:
        """There was a gap in what we heard of our place: it is ours still, or we are in."""
        try:
            return await self._enter(msgspec.structs.replace(wanted, room_id=id))
        except Refused as refused:
            if refused.code != ErrorCode.ALREADY_IN_ROOM:
                raise
        asked = requests.GetRoom(payload=requests.RoomRef(room_id=id))
        return (await self._client.request(asked, replies.RoomInfo)).room

    def _queued(self, reply: replies.Queued) -> None:
        if self.on_queued is not None:
            self.on_queued(reply.position)

    def check(self) -> None:
        """There is reason to doubt that the server still hears us: find out at once."""
        self._client.check()

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        assert self.room is not None, "joined before it sends"
        signal = {"type": message["type"], "roomId": self.room.id, "to": to}
        if "payload" in message:
            signal["payload"] = message["payload"]
        await self._client.send(msgspec.json.encode(signal))

    async def chat(self, text: str, to: str | None = None) -> replies.ChatMessage:
        """Say something to all, or to one member. Returns the message as the room has it.

        Raises `Refused`.
        """
        assert self.room is not None, "joined before it chats"
        addressee = msgspec.UNSET if to is None else to
        message = requests.Chat(room_id=self.room.id, payload=text, to=addressee)
        return await self._client.request(message, replies.ChatMessage)

    async def set_media_state(
        self,
        *,
        audio_muted: bool | UnsetType = UNSET,
        video_muted: bool | UnsetType = UNSET,
        recording: bool | UnsetType = UNSET,
    ) -> None:
        """Tell the members what we send, and whether we record. Raises `Refused`."""
        assert self.room is not None, "joined before it tells"
        state = requests.SetMediaStatePayload(
            room_id=self.room.id,
            audio_muted=audio_muted,
            video_muted=video_muted,
            recording=recording,
        )
        await self._client.request(requests.SetMediaState(payload=state), replies.MemberUpdated)

    async def renew_ice_servers(self) -> tuple[list[dict[str, Any]], int]:
        """W3C `RTCIceServer[]`, and for how many seconds their credentials hold.

        Raises `Refused` or `ServerUnreachable`.
        """
        reply = await self._client.request(requests.GetIceServers(), replies.IceServers)
        self.ice_servers = reply.ice_servers
        return reply.ice_servers, reply.ttl

    async def history(self, limit: int) -> list[replies.ChatMessage]:
        """The room's last `limit` messages, oldest first. Raises `Refused`."""
        assert self.room is not None, "joined before it reads"
        found: list[replies.ChatMessage] = []
        while len(found) < limit:
            page = requests.ChatHistoryPayload(
                room_id=self.room.id,
                limit=min(limit - len(found), HISTORY_PAGE),
                before=found[0].id if found else None,
            )
            reply = await self._client.request(
                requests.ChatHistory(payload=page), replies.ChatHistory
            )
            found = reply.messages + found
            if not reply.has_more:
                break
        return found

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Ends after `close`; raises `ServerUnreachable` or `Refused` where the server ended it."""
        for here in self._members():
            yield here
        async for event in self._client:
            match event:
                case replies.MemberJoined(member=member):
                    self._present.add(member.id)
                    yield MemberHere(member.id, member.display_name)
                case replies.MemberLeft(member_id=id, reason=reason):
                    self._present.discard(id)
                    yield MemberGone(id, reason)
                case replies.Signaled(sender=sender):
                    yield Signal(sender, message_of(event))
                case replies.RoomUpdated(room=room):
                    self.room = room
                    yield event
                case LineLost(reason):
                    yield Lost(reason)
                case LineRestored(hello) if hello.resumed:
                    gap = hello.gap is True
                    yield Restored(True, self.id, gap)
                    for change in await self._look_again() if gap else ():
                        yield change
                case LineRestored(hello):
                    self._greeted(hello)
                    if await self._join_again():
                        yield Restored(False, self.id)
                        for here in self._members():
                            yield here
                case _:
                    yield event

    def _members(self) -> list[MemberHere]:
        members = self.room.members if self.room is not None else []
        return [MemberHere(m.id, m.display_name, before=True) for m in members if m.id != self.id]

    async def _look_again(self) -> list[Any]:
        """What may have happened to the room while the server could tell us nothing."""
        if self.room is None:
            return []
        id = self.room.id
        try:
            asked = requests.GetRoom(payload=requests.RoomRef(room_id=id))
            room = (await self._client.request(asked, replies.RoomInfo)).room
        except ServerUnreachable:
            return []  # lost again: when it is back we look again
        except Refused:
            return [replies.RoomClosed(room_id=id)]
        if self.id not in room.participants:
            return [replies.Removed(room_id=id, reason="")]
        self.room, before = room, self._present
        self._present = set(room.participants)
        return [
            replies.RoomUpdated(room=room),
            *(MemberGone(id, "disconnected") for id in before - self._present),
            *(MemberHere(m.id, m.display_name) for m in room.members if m.id not in before),
        ]

    async def _join_again(self) -> bool:
        """As somebody new, into the same room, which the server may have forgotten as well.

        False where the line was lost again meanwhile: then it is tried again.
        """
        assert self.room is not None, "it was joined before"
        wanted = requests.JoinRoomPayload(
            room_id=self.room.id,
            name=self.room.name,
            create=True,
            wait_if_full=True,
            **self._settings()
            | {"max_participants": self.room.max_participants, "metadata": self.room.metadata},
        )
        try:
            self._entered(await self._enter(wanted))
        except ServerUnreachable:
            return False
        return True

    async def close(self) -> None:
        """Leave in good order where the server still answers. May be called twice."""
        room, self.room = self.room, None
        if room is not None and self._client.connected:
            leave = requests.LeaveRoom(payload=requests.RoomRef(room_id=room.id))
            try:
                async with asyncio.timeout(LEAVE_TIMEOUT):
                    await self._client.request(leave, replies.RoomLeft)
            except (TimeoutError, RoomcallError) as error:
                logger.debug("left without a word from the server: %s", error)
        await self._client.close()


def message_of(signal: replies.Signaled) -> dict[str, Any]:
    """As `base.Signal` has it."""
    message: dict[str, Any] = {"type": type(signal).__struct_config__.tag}
    if signal.payload is not msgspec.UNSET:
        message["payload"] = msgspec.json.decode(signal.payload)
    return message


def is_room_id(room: str) -> bool:
    """Is it an id? Else it is a name."""
    try:
        return str(UUID(room)) == room.lower()
    except ValueError:
        return False
