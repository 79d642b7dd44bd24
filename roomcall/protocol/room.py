"""A room and its members as they stand on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from .errors import MAX_DESCRIPTION, MAX_NAME, MAX_PASSWORD, MAX_REASON

# Without control characters; a text may have tabs and ends of line.
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"
_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=_ONE_LINE)]
DisplayName = Annotated[str, Meta(max_length=MAX_NAME, pattern=_ONE_LINE)]
Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION, pattern=_LINES)]
Text = Annotated[str, Meta(pattern=_LINES)]
Password = Annotated[str, Meta(max_length=MAX_PASSWORD)]
Reason = Annotated[str, Meta(max_length=MAX_REASON, pattern=_LINES)]
Time = Annotated[datetime, Meta(tz=True)]
Kind = Literal["audio", "video", "all"]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class RoomState(StrEnum):
    """EMPTY: nobody in it; ACTIVE: members, no call; IN_CALL: at least one pair has a call."""

    __hash__ = str.__hash__  # Enum's own is slow

    EMPTY = "EMPTY"
    ACTIVE = "ACTIVE"
    IN_CALL = "IN_CALL"
    SCHEDULED = "SCHEDULED"


class Metadata(Struct, frozen=True):
    """What the maker of a room says about it. Unknown keys are dropped."""

    description: Description = ""
    private: bool = False


class Member(Struct, frozen=True, rename="camel"):
    """One client in a room."""

    id: str
    display_name: str
    role: Literal["host", "member"]
    joined_at: datetime
    audio_muted: bool = False
    video_muted: bool = False
    recording: bool = False


class Room(Struct, frozen=True, rename="camel"):
    """A room as members see it; `participants` and `members` are in order of joining."""

    id: str
    name: str
    created_at: datetime
    host: str | None
    max_participants: int
    participants: list[str]
    metadata: Metadata
    state: RoomState
    has_password: bool = False
    locked: bool = False
    queue_length: int = 0
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    members: list[Member] = field(default_factory=list)


class RoomRow(Struct, frozen=True, rename="camel"):
    """A row of `rooms-list`."""

    id: str
    name: str
    participant_count: int
    max_participants: int
    has_password: bool
    locked: bool
    state: RoomState
    description: str
    created_at: datetime
