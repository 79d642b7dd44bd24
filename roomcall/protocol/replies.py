"""What the server sends: replies, which may echo `requestId`, and events, which never do."""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType, field

from .requests import RequestId
from .room import Member, Room, RoomRow, RoomState

LeaveReason = Literal["left", "disconnected", "removed", "room-closed"]


class Reply(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    request_id: RequestId | UnsetType = UNSET


class Limits(Struct, frozen=True, rename="camel"):
    max_message_bytes: int
    max_rooms_per_client: int


class ClientId(Reply, frozen=True, kw_only=True, tag="client-id"):
    """The first message of every connection. `ice_servers` is W3C `RTCIceServer[]`."""

    id: str
    protocol: int
    features: list[str]
    ice_servers: list[dict[str, Any]]
    limits: Limits
    resume_token: str | UnsetType = UNSET
    resumed: bool = False


class RoomCreated(Reply, frozen=True, kw_only=True, tag="room-created"):
    room: Room


class RoomJoined(Reply, frozen=True, kw_only=True, tag="room-joined"):
    room: Room


class RoomLeft(Reply, frozen=True, kw_only=True, tag="room-left"):
    room_id: str


class RoomInfo(Reply, frozen=True, kw_only=True, tag="room-info"):
    room: Room


class RoomsList(Reply, frozen=True, kw_only=True, tag="rooms-list"):
    rooms: list[RoomRow]
    next: str | None = None


class MemberJoined(Reply, frozen=True, kw_only=True, tag="member-joined"):
    room_id: str
    member_id: str
    participants: list[str]
    member: Member


class MemberLeft(Reply, frozen=True, kw_only=True, tag="member-left"):
    room_id: str
    member_id: str
    participants: list[str]
    reason: LeaveReason


class HostChanged(Reply, frozen=True, kw_only=True, tag="host-changed"):
    room_id: str
    host: str


class RoomStateChanged(Reply, frozen=True, kw_only=True, tag="room-state"):
    room_id: str
    state: RoomState


class ChatMessage(Reply, frozen=True, kw_only=True, tag="chat"):
    """The sender's own copy is the reply."""

    room_id: str
    sender: str = field(name="from")
    payload: str
    id: int
    sent_at: datetime


class Signaled(Reply, frozen=True, kw_only=True):
    """A signal of another member, payload untouched. `room_id` is absent in direct mode."""

    sender: str = field(name="from")
    room_id: str | UnsetType = UNSET
    payload: Raw | UnsetType = UNSET


class OfferSignaled(Signaled, frozen=True, tag="offer"):
    pass


class AnswerSignaled(Signaled, frozen=True, tag="answer"):
    pass


class IceCandidateSignaled(Signaled, frozen=True, tag="ice-candidate"):
    pass


class HangupSignaled(Signaled, frozen=True, tag="hangup"):
    pass


class RenegotiateSignaled(Signaled, frozen=True, tag="renegotiate"):
    pass


class IceServers(Reply, frozen=True, kw_only=True, tag="ice-servers"):
    """`ttl`: for how many seconds the credentials hold."""

    ice_servers: list[dict[str, Any]]
    ttl: int


class Pong(Reply, frozen=True, tag="pong"):
    pass


class Error(Reply, frozen=True, kw_only=True, tag="error"):
    """`request` is the type of the message at fault, or null where it could not be read."""

    code: str
    message: str
    request: str | None = None
    room_id: str | UnsetType = UNSET
    to: str | UnsetType = UNSET


AnyReply = (
    ClientId
    | RoomCreated
    | RoomJoined
    | RoomLeft
    | RoomInfo
    | RoomsList
    | MemberJoined
    | MemberLeft
    | HostChanged
    | RoomStateChanged
    | ChatMessage
    | OfferSignaled
    | AnswerSignaled
    | IceCandidateSignaled
    | HangupSignaled
    | RenegotiateSignaled
    | IceServers
    | Pong
    | Error
)
