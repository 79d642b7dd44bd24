"""Who goes out.

Rules of this file:
1. One leave gives, in this order: the reply to who asked, `member-left`, `host-changed`,
   `room-state`, then who is let in from the queue. Who has left hears the reply only.
2. When the host leaves, the member there longest becomes host; one that is connected goes before
   one that is away.
3. A leave ends the calls of the one who left, and forgets the offers from and to it.
4. A place is given to who waits for it before the room counts as empty. An empty room vanishes, or
   lives on for its time.
"""

from datetime import datetime

from msgspec.structs import replace

from roomcall.protocol.replies import (
    HostChanged,
    LeaveReason,
    MemberLeft,
    RoomLeft,
    RoomStateChanged,
)
from roomcall.protocol.requests import LeaveRoom

from ..outcome import Effect, Outcome, Send, tell
from ..permissions import Action, check
from ..room import Room
from .closing import vanish
from .waiting import admit_waiting, drop


def leave(room: Room, client: str, request: LeaveRoom, now: datetime) -> Outcome:
    """Out of the room, or out of its queue."""
    if not room.waits(client):
        check(room, client, Action.LEAVE)
    reply = Send((client,), RoomLeft(request_id=request.request_id, room_id=room.id))
    return _go(room, client, "left", now, reply)


def disconnect(room: Room, client: str, now: datetime) -> Outcome:
    """The client's session has ended."""
    return _go(room, client, "disconnected", now)


def _go(room: Room, client: str, reason: LeaveReason, now: datetime, *first: Effect) -> Outcome:
    if client not in room.members:
        after = drop(room, client)
        return settle(room, after, now, first, gone=(client,))
    after = without(room, client, now)
    effects = (*first, *departure(room, after, client, reason))
    return settle(room, after, now, effects, gone=(client,), reason=reason)


def settle(
    before: Room,
    after: Room,
    now: datetime,
    effects: tuple[Effect, ...],
    gone: tuple[str, ...] = (),
    reason: LeaveReason | None = None,
) -> Outcome:
    """Give the places that are free now, and let the room go where nobody is left."""
    after, admissions = admit_waiting(after, now, before.queue)
    effects = (*effects, *admissions)
    if end := vanish(after, now):
        effects, gone = (*effects, *end.effects), (*gone, *end.gone)
        return Outcome(room=None, effects=effects, gone=gone, reason=reason)
    return Outcome(room=after, effects=effects, gone=gone, reason=reason)


def without(room: Room, client: str, now: datetime) -> Room:
    """The room without this member, its calls and its office."""
    members = {id: member for id, member in room.members.items() if id != client}
    host = room.host
    if client == host:
        host = next((id for id, member in members.items() if not member.away), None)
        host = host or next(iter(members), None)
    return replace(
        room,
        members=members,
        host=host,
        emptied_at=None if members else now,
        calls=frozenset(call for call in room.calls if client not in call),
        offers=frozenset(offer for offer in room.offers if client not in offer),
    )


def departure(
    before: Room, after: Room, client: str, reason: LeaveReason, *told: str
) -> tuple[Effect, ...]:
    """What those who stay hear. `told`: who has heard of the leave itself already."""
    left = MemberLeft(
        room_id=after.id, member_id=client, participants=list(after.members), reason=reason
    )
    effects = tell(after.others(*told), left)
    if after.host is not None and after.host != before.host:
        news = HostChanged(room_id=after.id, host=after.host)
        effects += tell(tuple(after.members), news)
    return effects + state_change(before, after)


def state_change(before: Room, after: Room) -> tuple[Effect, ...]:
    """`room-state` to all who are in the room, where it is another than before."""
    if before.state is after.state:
        return ()
    return tell(tuple(after.members), RoomStateChanged(room_id=after.id, state=after.state))
