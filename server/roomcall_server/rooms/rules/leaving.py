"""Who goes out.

Rules of this file:
1. One leave gives, in this order: the reply to who asked, `member-left`, `host-changed`,
   `room-state`. Who has left hears the reply only.
2. When the host leaves, the member there longest becomes host.
3. A leave ends the calls of the one who left, and forgets the offers from and to it.
4. The room vanishes with its last member.
"""

from msgspec.structs import replace

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.replies import (
    HostChanged,
    LeaveReason,
    MemberLeft,
    Reply,
    RoomLeft,
    RoomStateChanged,
)
from roomcall.protocol.requests import LeaveRoom

from ..outcome import Effect, Outcome, Refused, Send, tell
from ..room import Room


def leave(room: Room, client: str, request: LeaveRoom) -> Outcome:
    if client not in room.members:
        raise Refused(ErrorCode.NOT_IN_ROOM, "you are not in this room")
    reply = RoomLeft(request_id=request.request_id, room_id=room.id)
    return _depart(room, client, "left", Send((client,), reply))


def disconnect(room: Room, client: str) -> Outcome:
    """The client's session has ended."""
    return _depart(room, client, "disconnected")


def _depart(room: Room, client: str, reason: LeaveReason, *before: Effect) -> Outcome:
    after = without(room, client)
    stay = tuple(after.members)
    effects = list(before)
    left = MemberLeft(room_id=room.id, member_id=client, participants=list(stay), reason=reason)
    effects += tell(stay, left)
    if after.host is not None and after.host != room.host:
        effects += tell(stay, HostChanged(room_id=room.id, host=after.host))
    effects += state_change(room, after)
    return Outcome(room=after if stay else None, effects=tuple(effects), gone=(client,))


def without(room: Room, client: str) -> Room:
    """The room without this member, its calls and its office."""
    members = {id: member for id, member in room.members.items() if id != client}
    host = next(iter(members), None) if client == room.host else room.host
    return replace(
        room,
        members=members,
        host=host,
        calls=frozenset(call for call in room.calls if client not in call),
        offers=frozenset(offer for offer in room.offers if client not in offer),
    )


def state_change(before: Room, after: Room) -> tuple[Effect, ...]:
    """`room-state` to all who are in the room, where it is another than before."""
    if before.state is after.state:
        return ()
    message: Reply = RoomStateChanged(room_id=after.id, state=after.state)
    return tell(tuple(after.members), message)
