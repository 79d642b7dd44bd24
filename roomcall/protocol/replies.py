"""What the server sends: replies, which may echo `requestId`, and events, which never do."""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType, field

from .requests import RequestId
from .room import Kind, Member, Room, RoomRow, RoomState

LeaveReason = Literal["left", "disconnected", "removed", "room-closed"]


class Reply(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    request_id: RequestId | UnsetType = UNSET


class Limits(Struct, frozen=True, rename="camel"):
    """What this server allows a client."""

    max_message_bytes: int
    max_rooms_per_client: int


class ClientId(Reply, frozen=True, kw_only=True, tag="client-id"):
    """The first message of every connection. `ice_servers` is W3C `RTCIceServer[]`.

    After a resume `received` is how many of the client's messages have arrived. In its place `gap`
    says that the server does not know, as it was restarted, and that some of ours may be lost.
    """

    id: str
    protocol: int
    features: list[str]
    ice_servers: list[dict[str, Any]]
    limits: Limits
    resume_token: str | UnsetType = UNSET
    resumed: bool = False
    received: int | UnsetType = UNSET
    gap: bool | UnsetType = UNSET


class RoomCreated(Reply, frozen=True, kw_only=True, tag="room-created"):
    """To its maker, who is in it, unless it opens later."""

    room: Room


class RoomJoined(Reply, frozen=True, kw_only=True, tag="room-joined"):
    """To who has come in, also from the queue; then it echoes no request."""

    room: Room


class Queued(Reply, frozen=True, kw_only=True, tag="queued"):
    """There is no place yet. `position` counts from 1; sent again when it changes."""

    room_id: str
    position: int


class RoomLeft(Reply, frozen=True, kw_only=True, tag="room-left"):
    """To who has left the room or its queue."""

    room_id: str


class RoomInfo(Reply, frozen=True, kw_only=True, tag="room-info"):
    """The answer to `get-room`."""

    room: Room


class RoomsList(Reply, frozen=True, kw_only=True, tag="rooms-list"):
    """A page of rooms. `next` is the `after` of the page that follows, null at the end."""

    rooms: list[RoomRow]
    next: str | None = None


class MemberJoined(Reply, frozen=True, kw_only=True, tag="member-joined"):
    """To those who were there. `participants` has the new one last."""

    room_id: str
    member_id: str
    participants: list[str]
    member: Member


class MemberLeft(Reply, frozen=True, kw_only=True, tag="member-left"):
    """To those who stay. `participants` are those that are left."""

    room_id: str
    member_id: str
    participants: list[str]
    reason: LeaveReason


class RoomUpdated(Reply, frozen=True, kw_only=True, tag="room-updated"):
    """What the room is set to now."""

    room: Room


class RoomClosed(Reply, frozen=True, kw_only=True, tag="room-closed"):
    """The room has ended, or has vanished while this client waited for it."""

    room_id: str


class Removed(Reply, frozen=True, kw_only=True, tag="removed"):
    """To the one who was removed."""

    room_id: str
    reason: str


class MemberUnbanned(Reply, frozen=True, kw_only=True, tag="member-unbanned"):
    """To the host who asked."""

    room_id: str
    member_id: str


class MemberUpdated(Reply, frozen=True, kw_only=True, tag="member-updated"):
    """A member is muted, or says something else of its media."""

    room_id: str
    member: Member


class Muted(Reply, frozen=True, kw_only=True, tag="muted"):
    """To the one who was muted: its client stops sending that kind."""

    room_id: str
    kind: Kind
    by: str


class HostChanged(Reply, frozen=True, kw_only=True, tag="host-changed"):
    """Who has the office now."""

    room_id: str
    host: str


class RoomStateChanged(Reply, frozen=True, kw_only=True, tag="room-state"):
    """The room has passed into another state."""

    room_id: str
    state: RoomState


class ChatMessage(Reply, frozen=True, kw_only=True, tag="chat"):
    """The sender's own copy is the reply. One with `to` is for that member; its `id` is null."""

    room_id: str
    sender: str = field(name="from")
    payload: str
    id: int | None
    sent_at: datetime
    to: str | UnsetType = UNSET


class ChatHistory(Reply, frozen=True, kw_only=True, tag="chat-history"):
    """Oldest first. `has_more`: there are older ones."""

    room_id: str
    messages: list[ChatMessage]
    has_more: bool


class Signaled(Reply, frozen=True, kw_only=True):
    """A signal of another member, payload untouched. `room_id` is absent in direct mode."""

    sender: str = field(name="from")
    room_id: str | UnsetType = UNSET
    payload: Raw | UnsetType = UNSET


class OfferSignaled(Signaled, frozen=True, tag="offer"):
    """What another member has sent as `offer`."""


class AnswerSignaled(Signaled, frozen=True, tag="answer"):
    """What another member has sent as `answer`."""


class IceCandidateSignaled(Signaled, frozen=True, tag="ice-candidate"):
    """What another member has sent as `ice-candidate`."""


class HangupSignaled(Signaled, frozen=True, tag="hangup"):
    """What another member has sent as `hangup`."""


class RenegotiateSignaled(Signaled, frozen=True, tag="renegotiate"):
    """What another member has sent as `renegotiate`."""


class IceServers(Reply, frozen=True, kw_only=True, tag="ice-servers"):
    """`ttl`: for how many seconds the credentials hold."""

    ice_servers: list[dict[str, Any]]
    ttl: int


class ClientList(Reply, frozen=True, kw_only=True, tag="client-list"):
    """In direct mode: the other direct clients."""

    clients: list[str]


class TokenRefreshed(Reply, frozen=True, kw_only=True, tag="token-refreshed"):
    """The connection holds until the new token ends."""


class Pong(Reply, frozen=True, tag="pong"):
    """The answer to `ping`."""


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
    | Queued
    | RoomLeft
    | RoomInfo
    | RoomsList
    | MemberJoined
    | MemberLeft
    | RoomUpdated
    | RoomClosed
    | Removed
    | MemberUnbanned
    | MemberUpdated
    | Muted
    | HostChanged
    | RoomStateChanged
    | ChatMessage
    | ChatHistory
    | OfferSignaled
    | AnswerSignaled
    | IceCandidateSignaled
    | HangupSignaled
    | RenegotiateSignaled
    | IceServers
    | ClientList
    | TokenRefreshed
    | Pong
    | Error
)
