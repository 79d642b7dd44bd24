"""Places, and the queue for them.

Rules of this file:
1. A place goes to the first who waits. One that is away is skipped, and keeps its position.
2. `locked` pauses the queue, and so does a room that has not opened.
3. `queued` is said again to everybody whose position has changed, after those who got a place.
4. Nobody else hears of the queue.
"""

from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from roomcall.protocol.replies import MemberJoined, Queued, RoomJoined
from roomcall.protocol.requests import RequestId

from ..outcome import Effect, Send, tell
from ..room import Member, Room
from ..views import wire_member, wire_room


def admit(
    room: Room, member: Member, request_id: RequestId | UnsetType = UNSET
) -> tuple[Room, tuple[Effect, ...]]:
    """The room with one more member, and what all hear of it. Who enters first is host."""
    entered = room.with_member(member, host=room.host or member.id, emptied_at=None)
    joined = MemberJoined(
        room_id=room.id,
        member_id=member.id,
        participants=list(entered.members),
        member=wire_member(entered, member),
    )
    return entered, (
        Send((member.id,), RoomJoined(request_id=request_id, room=wire_room(entered))),
        *tell(tuple(room.members), joined),
    )


def has_place(room: Room) -> bool:
    """Could the next who waits come in?"""
    return room.opened and not room.locked and not room.full


def admit_waiting(
    room: Room, now: datetime, before: tuple[Member, ...]
) -> tuple[Room, tuple[Effect, ...]]:
    """Give places to those who wait, as long as there are any. `before`: the queue as it was."""
    effects: list[Effect] = []
    while has_place(room):
        waiting = next((waiting for waiting in room.queue if not waiting.away), None)
        if waiting is None:
            break
        room = drop(room, waiting.id)
        room, told = admit(room, replace(waiting, joined_at=now))
        effects += told
    return room, (*effects, *positions(room, before))


def enqueue(
    room: Room, member: Member, request_id: RequestId | UnsetType
) -> tuple[Room, tuple[Effect, ...]]:
    """At the end of the queue; one that waits already keeps its position."""
    if not room.waits(member.id):
        room = replace(room, queue=(*room.queue, member))
    position = [waiting.id for waiting in room.queue].index(member.id) + 1
    reply = Queued(request_id=request_id, room_id=room.id, position=position)
    return room, (Send((member.id,), reply),)


def drop(room: Room, *clients: str) -> Room:
    """The room without their places in the queue."""
    left = tuple(waiting for waiting in room.queue if waiting.id not in clients)
    return replace(room, queue=left)


def positions(room: Room, before: tuple[Member, ...]) -> tuple[Effect, ...]:
    """`queued` to those who are not where they were in the queue."""
    was = {waiting.id: position for position, waiting in enumerate(before, start=1)}
    return tuple(
        Send((waiting.id,), Queued(room_id=room.id, position=position))
        for position, waiting in enumerate(room.queue, start=1)
        if was.get(waiting.id, position) != position
    )
