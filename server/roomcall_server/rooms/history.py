"""What happened in a room, and what it comes to.

Rules of this file:
1. Events follow from a room before and after a change. Who left comes before who joined; what goes
   on between members ends before the room does.
2. A call is one of a pair of members, as the protocol has it.
3. `left` says how long the member was in, so that it counts also where its joining is kept no more.
   A call whose beginning is not kept counts from the first event that is. What goes on counts up to
   now.
4. `chat` says how many messages there were in all, when the last member has left.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from roomcall.protocol.replies import LeaveReason

from .room import Member, Pair, Room

EventType = Literal[
    "created", "joined", "left", "call-started", "call-ended", "recording", "chat", "closed"
]


class RoomEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """`member_id` and `name`: of whom it tells, `name` alone is the room's; `other_id`: with whom
    the call is; `count`: how many chat messages there were; `seconds`: for how long one who left
    was in. `reason`: of `left` as in `member-left`; of `closed`, `room-closed` or `empty`."""

    event: EventType
    at: datetime
    member_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    reason: LeaveReason | Literal["empty"] | UnsetType = UNSET
    other_id: str | UnsetType = UNSET
    recording: bool | UnsetType = UNSET
    count: int | UnsetType = UNSET
    seconds: float | UnsetType = UNSET


class Analytics(Struct, frozen=True, kw_only=True, rename="camel"):
    """Of one room, or of all (`rooms` of them). Seconds are those of each added up.

    `total_participants` counts client ids; `first_at` and `last_at` are of the events that are
    kept."""

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


def events(
    before: Room | None, after: Room | None, reason: LeaveReason | None, now: datetime, closed: bool
) -> tuple[RoomEvent, ...]:
    """What the change from `before` to `after` was. `reason`: why those left who are gone;
    `closed`: the room was closed, and has not just vanished."""
    if before is not None and after is not None:
        if after.members is before.members and after.calls is before.calls:
            return ()  # as with most changes: a chat, an offer
    return tuple(_events(before, after, reason, now, closed))


def _events(
    before: Room | None, after: Room | None, reason: LeaveReason | None, now: datetime, closed: bool
) -> Iterator[RoomEvent]:
    if before is None and after is not None:
        yield RoomEvent(event="created", at=now, name=after.name)
    was = before.members if before is not None else {}
    now_in = after.members if after is not None else {}
    calls = after.calls if after is not None else frozenset()
    ended = before.calls - calls if before is not None else ()
    for one, other in sorted(ended):
        yield RoomEvent(event="call-ended", at=now, member_id=one, other_id=other)
    if was is not now_in:  # most changes are not about members, who may be many
        yield from _members(was, now_in, reason, now)
    for one, other in sorted(calls - before.calls if before is not None else calls):
        yield RoomEvent(event="call-started", at=now, member_id=one, other_id=other)
    room = after or before
    if room is not None and was and not now_in and room.chats:
        yield RoomEvent(event="chat", at=now, count=room.chats)
    if after is None:
        yield RoomEvent(event="closed", at=now, reason="room-closed" if closed else "empty")


def _members(
    was: dict[str, Member], now_in: dict[str, Member], reason: LeaveReason | None, now: datetime
) -> Iterator[RoomEvent]:
    def about(event: EventType, member: Member, **fields: Any) -> RoomEvent:
        return RoomEvent(
            event=event, at=now, member_id=member.id, name=member.display_name, **fields
        )

    for id, member in was.items():
        if member.recording and not (id in now_in and now_in[id].recording):
            yield about("recording", member, recording=False)
        if id not in now_in:
            stayed = _seconds(member.joined_at, now)
            yield about("left", member, reason=UNSET if reason is None else reason, seconds=stayed)
    for id, member in now_in.items():
        if id not in was:
            yield about("joined", member)
        if member.recording and not (id in was and was[id].recording):
            yield about("recording", member, recording=True)


class Tally:
    """What events come to. Give it all that are kept, in their order."""

    def __init__(self) -> None:
        self._rooms: set[str] = set()
        self._present = 0  # how many there are now more than before the first event
        self._most = 0
        self._ids: set[str] = set()
        self._seconds = 0.0
        self._calls = 0
        self._call_seconds = 0.0
        self._running: dict[tuple[str, Pair], datetime] = {}
        self._chats: dict[str, int] = {}
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None

    def add(self, room: str, event: RoomEvent) -> None:
        self._rooms.add(room)
        self._first_at = self._first_at or event.at
        self._last_at = event.at
        match event:
            case RoomEvent(event="joined", member_id=str(id)):
                self._ids.add(id)
                self._present += 1
                self._most = max(self._most, self._present)
            case RoomEvent(event="left", member_id=str(id), seconds=float(seconds)):
                self._ids.add(id)
                self._present -= 1
                self._seconds += seconds
            case RoomEvent(event="call-started", member_id=str(one), other_id=str(other)):
                self._running[room, (one, other)] = event.at
            case RoomEvent(event="call-ended", member_id=str(one), other_id=str(other)):
                self._end_call(room, (one, other), event.at)
            case RoomEvent(event="chat", count=int(count)):
                self._chats[room] = count

    def result(self, rooms: Iterable[Room], now: datetime, room: str | None) -> Analytics:
        """`rooms`: those that there are now; `room`: the only one that it is about."""
        inside = 0
        for one in rooms:
            self._rooms.add(one.id)
            self._chats[one.id] = one.chats
            self._ids.update(one.members)
            inside += len(one.members)
            self._seconds += sum(_seconds(m.joined_at, now) for m in one.members.values())
            for pair in one.calls:
                self._end_call(one.id, pair, now)
        return Analytics(
            peak_participants=inside - self._present + self._most,
            total_participants=len(self._ids),
            participant_seconds=round(self._seconds, 3),
            calls=self._calls,
            call_seconds=round(self._call_seconds, 3),
            chat_messages=sum(self._chats.values()),
            first_at=self._first_at,
            last_at=self._last_at,
            room_id=UNSET if room is None else room,
            rooms=len(self._rooms) if room is None else UNSET,
        )

    def _end_call(self, room: str, pair: Pair, at: datetime) -> None:
        begun = self._running.pop((room, pair), self._first_at or at)
        self._calls += 1
        self._call_seconds += _seconds(begun, at)


def _seconds(since: datetime, until: datetime) -> float:
    return round(max(0.0, (until - since).total_seconds()), 3)
