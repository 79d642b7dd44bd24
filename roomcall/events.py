"""What happens in a call, as frozen values: iterate a `Call` to see them.

Each has `time` (aware, UTC) and `t` (seconds since entering). `to_json()` is the line that the
command prints: the class's `event` name and its fields in camelCase; a peer stands there as its
client id.
"""

import base64
import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

if TYPE_CHECKING:
    from .media.source import Kind
    from .peer.datachannel import DataChannel
    from .peer.peer import Peer
    from .peer.track import RemoteTrack
    from .protocol.replies import LeaveReason
    from .protocol.room import Room, RoomState

_HIDDEN = {"json": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """The root of all events."""

    event: ClassVar[str]
    time: datetime
    t: float

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON values. Fields that do not apply (None) are left out."""
        result: dict[str, Any] = {
            "event": self.event,
            "at": rfc3339(self.time),
            "t": round(self.t, 3),
        }
        for spec in fields(self):
            value = getattr(self, spec.name)
            if spec.name in ("time", "t") or value is None or not spec.metadata.get("json", True):
                continue
            result[_camel(spec.name)] = _plain(value)
        return result

    def to_json(self) -> str:
        """One line of JSON, as the command prints it."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def rfc3339(time: datetime) -> str:
    """Milliseconds, UTC, with `Z`. See RFC 3339 section 5.6."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    return getattr(value, "id", value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined(Event):
    """In the room. `room` is as the protocol has it; `created` where this join made it."""

    event = "joined"
    id: str
    room: "Room | None"
    created: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued(Event):
    """Waiting for a place in the room. `position` counts from 1."""

    event = "queued"
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerEvent(Event):
    """Something about one other member."""

    peer: "Peer"
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberJoined(PeerEvent):
    event = "member-joined"


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberLeft(PeerEvent):
    """The server's word about membership, at once."""

    event = "member-left"
    reason: "LeaveReason"


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberUpdated(PeerEvent):
    """What a member says of itself, or the host has made of it: what of it is muted, and whether it
    records the room. It comes with each change, and of who has something to say when we come."""

    event = "member-updated"
    audio_muted: bool
    video_muted: bool
    recording: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerConnected(PeerEvent):
    """Media can flow. `seconds` from the first offer; `local` and `remote` are the types of the
    chosen candidates (host, srflx, prflx, relay), `protocol` is that of the pair."""

    event = "peer-connected"
    seconds: float
    local: str
    remote: str
    protocol: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerDisconnected(PeerEvent):
    """The media path is lost."""

    event = "peer-disconnected"


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerReconnected(PeerEvent):
    """The media path is back, or another one found."""

    event = "peer-reconnected"


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerLeft(PeerEvent):
    """Its connection is gone, for `reason`."""

    event = "peer-left"
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerFailed(PeerEvent):
    """No connection to it could be made, or it broke; it is tried again."""

    event = "peer-failed"
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackAdded(PeerEvent):
    """The peer sends this track."""

    event = "track"
    kind: "Kind"
    codec: str
    track: "RemoteTrack" = field(metadata=_HIDDEN)


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstFrame(PeerEvent):
    """The first whole frame of a track. `seconds` from `joined`, or from the peer's coming where
    that is later."""

    event = "first-frame"
    kind: "Kind"
    seconds: float
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StatsUpdated(Event):
    """Statistics of all peers by client id, with the names of W3C webrtc-stats. `load` is that of
    this process: `loopLag` (seconds, the longest since the last), `cpu` (of one core) and
    `machineCpu` (of all, whoever used them)."""

    event = "stats"
    peers: dict[str, dict[str, Any]]
    load: dict[str, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatReceived(PeerEvent):
    """`own` where it is the copy of what this call sent; `peer` is None then."""

    event = "chat"
    peer: "Peer | None"  # type: ignore[assignment]  # one's own message has no peer
    text: str
    id: int | None
    sent_at: datetime
    own: bool

    def to_dict(self) -> dict[str, Any]:
        # The command promises `peer` in every chat line: one's own id for one's own message.
        return super(ChatReceived, self).to_dict() | {"peer": self.sender}

    sender: str = field(metadata=_HIDDEN)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingChanged(PeerEvent):
    """A file of a recording has begun, is finished (of `seconds` and `bytes`), or has failed: then
    `message` says why. `peer` is None and `name` empty where it is of no participant."""

    event = "recording"
    peer: "Peer | None"  # type: ignore[assignment]  # session.json belongs to nobody
    state: Literal["started", "finished", "failed"]
    file: str
    seconds: float | None = None
    bytes: int | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HostChanged(Event):
    event = "host-changed"
    room_id: str
    host: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomStateChanged(Event):
    event = "room-state"
    room_id: str
    state: "RoomState"


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomUpdated(Event):
    """Its settings have changed; `room` is as the protocol has it."""

    event = "room-updated"
    room: "Room"


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomClosed(Event):
    """For all: the call ends with it."""

    event = "room-closed"
    room_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed(Event):
    """The host has removed us: the call ends with it."""

    event = "removed"
    room_id: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Muted(Event):
    """The host has muted us: what is of that kind is no longer sent, until `Call.unmute`."""

    event = "muted"
    room_id: str
    kind: Literal["audio", "video", "all"]
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalingLost(Event):
    """The server is out of reach. Media goes on, and so do tries to get back."""

    event = "signaling-lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalingRestored(Event):
    """Where not `resumed`, the server had forgotten us: we are in the room again with a new `id`.
    Members who are back as well have new ones too: `renamed` has them by their old ids. Connections
    go on. It comes again for those who are back later."""

    event = "signaling-restored"
    resumed: bool
    id: str
    renamed: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class WarningIssued(Event):
    event = "warning"
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelOpened(PeerEvent):
    """The peer has opened a data channel."""

    event = "channel-opened"
    label: str
    channel: "DataChannel" = field(metadata=_HIDDEN)


@dataclass(frozen=True, kw_only=True, slots=True)
class DataReceived(PeerEvent):
    """A message on a data channel: `data` is `str` or `bytes`, and in JSON `text` or `base64`."""

    event = "data"
    label: str
    data: str | bytes = field(metadata=_HIDDEN)

    def to_dict(self) -> dict[str, Any]:
        # Not `super()`: a dataclass with slots is another class than the one in the source.
        result = Event.to_dict(self)
        if isinstance(self.data, str):
            return result | {"text": self.data}
        return result | {"base64": base64.b64encode(self.data).decode()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Left(Event):
    """The last event. `seconds` is how long the call was."""

    event = "left"
    reason: Literal[
        "left",
        "duration",
        "interrupted",
        "removed",
        "room-closed",
        "server-lost",
        "source-ended",
        "empty",
    ]
    seconds: float
