"""A room as the server keeps it: one immutable value.

Rules of this file:
1. A room is never changed: every rule makes a new one from it. `version` is the store's.
2. `members` and `queue` are in order of coming. A dictionary in a room is never written to.
3. `calls` and `offers` name members only. A call is a pair, the smaller id first.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from roomcall.protocol.room import Metadata, RoomState

Pair = tuple[str, str]


class Member(Struct, frozen=True, kw_only=True):
    """A client in the room, or one that waits for a place.

    `away`: its connection is lost, and may come back. `privileged`: its token gives it the host's
    rights. `bound`: its token is for this room only.
    """

    id: str
    display_name: str
    joined_at: datetime
    subject: str | None = None
    privileged: bool = False
    bound: bool = False
    away: bool = False
    audio_muted: bool = False
    video_muted: bool = False
    recording: bool = False


class Ban(Struct, frozen=True):
    """Holds for the token's subject where there is one, else for the client's id."""

    member_id: str
    subject: str | None

    def holds_for(self, id: str, subject: str | None) -> bool:
        return self.member_id == id if self.subject is None else self.subject == subject


class Room(Struct, frozen=True, kw_only=True):
    """`offers` are the unanswered ones, as (from, to); `chats` counts the messages to all.

    `opened` is False before `opens_at`; `emptied_at` is when the last member left; `empty_ttl` is
    how many seconds the room lives on then. `password` is a hash.
    """

    id: str
    name: str
    created_at: datetime
    version: int = 0
    host: str | None = None
    max_participants: int = 0
    metadata: Metadata = Metadata()
    password: str | None = None
    locked: bool = False
    members: dict[str, Member] = {}
    queue: tuple[Member, ...] = ()
    bans: tuple[Ban, ...] = ()
    offers: frozenset[Pair] = frozenset()
    calls: frozenset[Pair] = frozenset()
    chats: int = 0
    opened: bool = True
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    empty_ttl: int = 0
    emptied_at: datetime | None = None

    @property
    def state(self) -> RoomState:
        if not self.members:
            return RoomState.EMPTY if self.opened else RoomState.SCHEDULED
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

    def waits(self, client: str) -> bool:
        return any(waiting.id == client for waiting in self.queue)

    def with_member(self, member: Member, **changes: Any) -> "Room":
        """This member added, or in the place of what it was."""
        return replace(self, members={**self.members, member.id: member}, **changes)

    def left_behind(self) -> "Room":
        """The room when its server begins anew: everybody has still to come back."""
        return replace(
            self,
            members={id: replace(member, away=True) for id, member in self.members.items()},
            queue=tuple(replace(waiting, away=True) for waiting in self.queue),
        )


def pair(a: str, b: str) -> Pair:
    return (a, b) if a < b else (b, a)
