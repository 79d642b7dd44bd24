"""A room as the server keeps it: one immutable value, and how it looks on the wire.

Rules of this file:
1. A room is never changed: every rule makes a new one from it. `version` is the store's.
2. `members` and `queue` are in order of coming. A dictionary in a room is never written to.
3. `calls` and `offers` name members only. A call is a pair, the smaller id first.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from roomcall.protocol import room as wire
from roomcall.protocol.room import Metadata, RoomState

Pair = tuple[str, str]


class Member(Struct, frozen=True, kw_only=True):
    """A client in the room."""

    id: str
    display_name: str
    joined_at: datetime
    audio_muted: bool = False
    video_muted: bool = False
    recording: bool = False


class Room(Struct, frozen=True, kw_only=True):
    """`offers` are the unanswered ones, as (from, to); `chats` counts the messages to all."""

    id: str
    name: str
    created_at: datetime
    version: int = 0
    host: str | None = None
    max_participants: int = 0
    metadata: Metadata = Metadata()
    members: dict[str, Member] = {}
    offers: frozenset[Pair] = frozenset()
    calls: frozenset[Pair] = frozenset()
    chats: int = 0

    @property
    def state(self) -> RoomState:
        if not self.members:
            return RoomState.EMPTY
        return RoomState.IN_CALL if self.calls else RoomState.ACTIVE

    @property
    def public_name(self) -> str | None:
        """The name that no other room may have; a private room has none."""
        return None if self.metadata.private else self.name

    @property
    def full(self) -> bool:
        return 0 < self.max_participants <= len(self.members)

    def others(self, *ids: str) -> tuple[str, ...]:
        """The members but these."""
        return tuple(id for id in self.members if id not in ids)

    def with_member(self, member: Member, **changes: Any) -> "Room":
        """This member added, or in the place of what it was."""
        return replace(self, members={**self.members, member.id: member}, **changes)


def pair(a: str, b: str) -> Pair:
    return (a, b) if a < b else (b, a)


def wire_member(room: Room, member: Member) -> wire.Member:
    return wire.Member(
        id=member.id,
        display_name=member.display_name,
        role="host" if member.id == room.host else "member",
        joined_at=member.joined_at,
        audio_muted=member.audio_muted,
        video_muted=member.video_muted,
        recording=member.recording,
    )


def wire_room(room: Room) -> wire.Room:
    """The room as its members see it."""
    return wire.Room(
        id=room.id,
        name=room.name,
        created_at=room.created_at,
        host=room.host,
        max_participants=room.max_participants,
        participants=list(room.members),
        metadata=room.metadata,
        state=room.state,
        members=[wire_member(room, member) for member in room.members.values()],
    )


def wire_room_for(room: Room, client: str) -> wire.Room:
    """The room for somebody who knows its id: who is inside is for members only."""
    if client in room.members:
        return wire_room(room)
    return replace(wire_room(room), host=None, participants=[], members=[])


def wire_row(room: Room) -> wire.RoomRow:
    return wire.RoomRow(
        id=room.id,
        name=room.name,
        participant_count=len(room.members),
        max_participants=room.max_participants,
        has_password=False,
        locked=False,
        state=room.state,
        description=room.metadata.description,
        created_at=room.created_at,
    )
