"""What a client sends: one struct a message type, told apart by `type`.

Lengths are in code points. A field that is missing, of the wrong type or out of range is refused
by the decoder, which names it.
"""

from typing import Annotated
from unicodedata import normalize

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import force_setattr

from .errors import MAX_NAME, MAX_REQUEST_ID
from .room import (
    Count,
    Description,
    DisplayName,
    Kind,
    Metadata,
    Name,
    Password,
    Reason,
    Text,
    Time,
)

RequestId = Annotated[str, Meta(max_length=MAX_REQUEST_ID)] | int
ListLimit = Annotated[int, Meta(ge=1, le=1000)]
ChatId = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # what a database can look for


def composed(text: str) -> str:
    """The form in which names are kept and compared (Unicode's NFC). Raises `ValueError`."""
    text = normalize("NFC", text)
    if len(text) > MAX_NAME:  # a few characters become several
        raise ValueError(f"a name longer than {MAX_NAME} characters in NFC")
    return text


class _Named(Struct, frozen=True):
    """Its `name` and `display_name` are composed."""

    def __post_init__(self) -> None:
        for field in ("name", "display_name"):
            text = getattr(self, field, None)
            if isinstance(text, str) and not text.isascii():
                force_setattr(self, field, composed(text))


class Request(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """`request_id` is echoed by the direct reply, or by the `error`."""

    request_id: RequestId | UnsetType = UNSET


class RoomSettings(_Named, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a room is made with. `display_name` is its maker's, or the joiner's."""

    max_participants: Count = 0
    metadata: Metadata = Metadata()
    password: Password | None = None
    display_name: DisplayName = ""
    empty_ttl_seconds: Count | None = None
    opens_at: Time | None = None
    closes_at: Time | None = None


class CreateRoomPayload(RoomSettings, frozen=True, kw_only=True, rename="camel"):
    name: Name


class CreateRoom(Request, frozen=True, tag="create-room"):
    """Makes a room, and enters it as its host, unless it opens later."""

    payload: CreateRoomPayload


class JoinRoomPayload(RoomSettings, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    room_id: str | None = None
    name: Name | None = None
    create: bool = False
    wait_if_full: bool = False


class JoinRoom(Request, frozen=True, tag="join-room"):
    """Enters a room, or its queue. `room_id` or `name` is needed. With `create` a room that is not
    there is made, of this `name` and with the settings beside it."""

    payload: JoinRoomPayload


class RoomRef(Struct, frozen=True, rename="camel"):
    room_id: str


class LeaveRoom(Request, frozen=True, tag="leave-room"):
    """Out of a room, or out of its queue."""

    payload: RoomRef


class GetRoom(Request, frozen=True, tag="get-room"):
    """A room of which the id is known. Who is inside is shown to members only."""

    payload: RoomRef


class ListRoomsPayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    limit: ListLimit = 100
    after: str | None = None
    query: str = ""


class ListRooms(Request, frozen=True, tag="list-rooms"):
    """The public rooms, oldest first, a page at a time."""

    payload: ListRoomsPayload = ListRoomsPayload()


class MetadataChange(Struct, frozen=True):
    """What is not named stays as it is."""

    description: Description | UnsetType = UNSET
    private: bool | UnsetType = UNSET


class RoomChanges(_Named, frozen=True, kw_only=True, rename="camel"):
    """What is not named stays as it is; `password` null takes it off."""

    name: Name | UnsetType = UNSET
    max_participants: Count | UnsetType = UNSET
    metadata: MetadataChange | UnsetType = UNSET
    password: Password | None | UnsetType = UNSET
    locked: bool | UnsetType = UNSET
    empty_ttl_seconds: Count | UnsetType = UNSET


class UpdateRoomPayload(RoomChanges, frozen=True, kw_only=True, rename="camel"):
    room_id: str


class UpdateRoom(Request, frozen=True, tag="update-room"):
    """Changes what a room is set to. For its host."""

    payload: UpdateRoomPayload


class CloseRoom(Request, frozen=True, tag="close-room"):
    """Ends a room for all who are in it or wait for it. For its host."""

    payload: RoomRef


class MemberRef(Struct, frozen=True, rename="camel"):
    room_id: str
    member_id: str


class TransferHost(Request, frozen=True, tag="transfer-host"):
    """Hands the office over to another member. For the host."""

    payload: MemberRef


class RemoveMemberPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    room_id: str
    member_id: str
    reason: Reason = ""
    ban: bool = False


class RemoveMember(Request, frozen=True, tag="remove-member"):
    """Shows a member out, with `ban` for good. For the host."""

    payload: RemoveMemberPayload


class UnbanMember(Request, frozen=True, tag="unban-member"):
    """Lets one who was banned come again. For the host."""

    payload: MemberRef


class MuteMemberPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    room_id: str
    member_id: str
    kind: Kind


class MuteMember(Request, frozen=True, tag="mute-member"):
    """Has a member stop sending sound, pictures or both. For the host."""

    payload: MuteMemberPayload


class SetMediaStatePayload(Struct, frozen=True, kw_only=True, rename="camel"):
    room_id: str
    audio_muted: bool | UnsetType = UNSET
    video_muted: bool | UnsetType = UNSET
    recording: bool | UnsetType = UNSET


class SetMediaState(Request, frozen=True, tag="set-media-state"):
    """What the sender says of its own media, for others to show."""

    payload: SetMediaStatePayload


class Signal(Request, frozen=True, kw_only=True):
    """A signal to another member. The payload is never looked into: it goes out as it came."""

    to: str
    room_id: str | UnsetType = UNSET
    payload: Raw | UnsetType = UNSET


class Offer(Signal, frozen=True, tag="offer"):
    """A description that wants an answer: `RTCSessionDescriptionInit`."""

    payload: Raw


class Answer(Signal, frozen=True, tag="answer"):
    """The description that answers an offer: `RTCSessionDescriptionInit`."""

    payload: Raw


class IceCandidate(Signal, frozen=True, tag="ice-candidate"):
    """A way to the sender, as `RTCIceCandidateInit`. An empty `candidate` is the last."""

    payload: Raw


class Hangup(Signal, frozen=True, tag="hangup"):
    """The end of a call, or of an attempt at one. Its payload is absent or `{"reason"}`."""


class Renegotiate(Signal, frozen=True, tag="renegotiate"):
    """Asks the other for an offer: with `{"iceRestart": true}` for one that restarts ICE."""


class Chat(Request, frozen=True, kw_only=True, tag="chat"):
    """To all, or with `to` to one member. Its length is judged by the rules, which answer
    `payload-too-large`."""

    room_id: str
    payload: Text
    to: str | UnsetType = UNSET


class ChatHistoryPayload(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`before`: the id before which the messages end; the latest where there is none."""

    room_id: str
    before: ChatId | None = None
    limit: ListLimit = 50


class ChatHistory(Request, frozen=True, tag="chat-history"):
    """What was said to all, oldest first, up to the newest or up to before an id. For members."""

    payload: ChatHistoryPayload


class GetIceServers(Request, frozen=True, tag="get-ice-servers"):
    """Renews the `iceServers` of `client-id`."""


class RefreshTokenPayload(Struct, frozen=True):
    token: str


class RefreshToken(Request, frozen=True, tag="refresh-token"):
    """Extends the time of a client whose JWT ends: same `sub`, same `room`."""

    payload: RefreshTokenPayload


class Ping(Request, frozen=True, tag="ping"):
    """For browsers, which do not see WebSocket pings."""


AnyRequest = (
    CreateRoom
    | JoinRoom
    | LeaveRoom
    | GetRoom
    | ListRooms
    | UpdateRoom
    | CloseRoom
    | TransferHost
    | RemoveMember
    | UnbanMember
    | MuteMember
    | SetMediaState
    | Offer
    | Answer
    | IceCandidate
    | Hangup
    | Renegotiate
    | Chat
    | ChatHistory
    | GetIceServers
    | RefreshToken
    | Ping
)
