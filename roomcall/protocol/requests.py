"""What a client sends: one struct a message type, told apart by `type`.

Lengths are in code points. A field that is missing, of the wrong type or out of range is refused
by the decoder, which names it.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from .errors import MAX_REQUEST_ID
from .room import Count, DisplayName, Metadata, Name

RequestId = Annotated[str, Meta(max_length=MAX_REQUEST_ID)] | int
ListLimit = Annotated[int, Meta(ge=1, le=1000)]


class Request(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """`request_id` is echoed by the direct reply, or by the `error`."""

    request_id: RequestId | UnsetType = UNSET


class RoomSettings(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a room is made with."""

    max_participants: Count = 0
    metadata: Metadata = Metadata()
    display_name: DisplayName = ""


class CreateRoomPayload(RoomSettings, frozen=True, kw_only=True, rename="camel"):
    name: Name


class CreateRoom(Request, frozen=True, tag="create-room"):
    payload: CreateRoomPayload


class JoinRoomPayload(RoomSettings, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`room_id` or `name`; with `create` the rest is used if, and only if, the room is made."""

    room_id: str | None = None
    name: Name | None = None
    create: bool = False


class JoinRoom(Request, frozen=True, tag="join-room"):
    payload: JoinRoomPayload


class RoomRef(Struct, frozen=True, rename="camel"):
    room_id: str


class LeaveRoom(Request, frozen=True, tag="leave-room"):
    payload: RoomRef


class GetRoom(Request, frozen=True, tag="get-room"):
    payload: RoomRef


class ListRoomsPayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    limit: ListLimit = 100
    after: str | None = None
    query: str = ""


class ListRooms(Request, frozen=True, tag="list-rooms"):
    payload: ListRoomsPayload = ListRoomsPayload()


class Signal(Request, frozen=True, kw_only=True):
    """A signal to another member. The payload is never looked into: it goes out as it came."""

    to: str
    room_id: str | UnsetType = UNSET
    payload: Raw | UnsetType = UNSET


class Offer(Signal, frozen=True, tag="offer"):
    payload: Raw


class Answer(Signal, frozen=True, tag="answer"):
    payload: Raw


class IceCandidate(Signal, frozen=True, tag="ice-candidate"):
    payload: Raw


class Hangup(Signal, frozen=True, tag="hangup"):
    """Its payload is absent or `{"reason"}`."""


class Renegotiate(Signal, frozen=True, tag="renegotiate"):
    """Please offer: `{"iceRestart": true}`."""


class Chat(Request, frozen=True, kw_only=True, tag="chat"):
    """Its length is judged by the rules, which answer `payload-too-large`."""

    room_id: str
    payload: str


class GetIceServers(Request, frozen=True, tag="get-ice-servers"):
    """Renews the `iceServers` of `client-id`."""


class Ping(Request, frozen=True, tag="ping"):
    """For browsers, which do not see WebSocket pings."""


AnyRequest = (
    CreateRoom
    | JoinRoom
    | LeaveRoom
    | GetRoom
    | ListRooms
    | Offer
    | Answer
    | IceCandidate
    | Hangup
    | Renegotiate
    | Chat
    | GetIceServers
    | Ping
)
