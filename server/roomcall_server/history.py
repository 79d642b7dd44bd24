"""What was in a room and what that comes to: the values, and who knows them."""

from datetime import datetime
from typing import Literal, Protocol

from msgspec import UNSET, Struct, UnsetType

from roomcall.protocol.replies import LeaveReason


class RoomEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """`member_id` and `name`: of whom it tells; `other_id`: with whom the call is; `count`: how
    many chat messages there were."""

    event: Literal[
        "created", "joined", "left", "call-started", "call-ended", "recording", "chat", "closed"
    ]
    at: datetime
    member_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    reason: LeaveReason | UnsetType = UNSET
    other_id: str | UnsetType = UNSET
    recording: bool | UnsetType = UNSET
    count: int | UnsetType = UNSET


class RoomHistory(Struct, frozen=True, rename="camel"):
    room_id: str
    events: list[RoomEvent]


class Analytics(Struct, frozen=True, kw_only=True, rename="camel"):
    """Of one room, or of all (`rooms` of them). Seconds are those of each added up."""

    peak_participants: int
    total_participants: int
    participant_seconds: float
    calls: int
    call_seconds: float
    chat_messages: int
    first_at: datetime | None
    last_at: datetime | None
    room_id: str | UnsetType = UNSET
    rooms: int | UnsetType = UNSET


class History(Protocol):
    """None: nothing is known of a room of this id."""

    async def events(self, room: str) -> list[RoomEvent] | None: ...

    async def analytics(self, room: str) -> Analytics | None: ...

    async def overall(self) -> Analytics: ...
