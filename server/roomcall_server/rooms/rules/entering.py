"""Who comes in.

Rules of this file:
1. A join is refused for the first that applies of: already-in-room, too-many-rooms, room-full.
2. Who enters an empty room is its host.
3. The joiner hears `room-joined`, those who were there hear `member-joined`; both name the joiner
   last. The state that a join changes shows in the joiner's reply, and nobody else is there.
"""

from datetime import datetime

from msgspec import UNSET, UnsetType

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.replies import MemberJoined, RoomCreated, RoomJoined
from roomcall.protocol.requests import CreateRoom, JoinRoom, RequestId, RoomSettings

from ...clients.session import Session
from ..outcome import Effect, Outcome, Refused, Send, tell
from ..room import Member, Room, wire_member, wire_room


def make(id: str, name: str, settings: RoomSettings, now: datetime) -> Room:
    """A new room with nobody in it."""
    return Room(
        id=id,
        name=name,
        created_at=now,
        max_participants=settings.max_participants,
        metadata=settings.metadata,
    )


def create(room: Room, session: Session, request: CreateRoom, now: datetime) -> Outcome:
    """The maker of a new room enters it."""
    check_limit(session)
    member = _member(session, request.payload, now)
    entered = room.with_member(member, host=session.id)
    reply = RoomCreated(request_id=request.request_id, room=wire_room(entered))
    return Outcome(room=entered, effects=(Send((session.id,), reply),), entered=(session.id,))


def join(room: Room, session: Session, request: JoinRoom, now: datetime) -> Outcome:
    if session.id in room.members:
        raise Refused(ErrorCode.ALREADY_IN_ROOM, "you are in this room")
    check_limit(session)
    if room.full:
        raise Refused(ErrorCode.ROOM_FULL, f"all {room.max_participants} places are taken")
    entered, effects = admit(room, _member(session, request.payload, now), request.request_id)
    return Outcome(room=entered, effects=effects, entered=(session.id,))


def admit(
    room: Room, member: Member, request_id: RequestId | UnsetType = UNSET
) -> tuple[Room, tuple[Effect, ...]]:
    """The room with one more member, and what all hear of it."""
    entered = room.with_member(member, host=room.host or member.id)
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


def check_limit(session: Session) -> None:
    if len(session.rooms) >= session.max_rooms:
        raise Refused(
            ErrorCode.TOO_MANY_ROOMS, f"a client may be in {session.max_rooms} rooms at once"
        )


def _member(session: Session, settings: RoomSettings, now: datetime) -> Member:
    return Member(id=session.id, display_name=settings.display_name, joined_at=now)
