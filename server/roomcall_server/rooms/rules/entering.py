"""Who comes in.

Rules of this file:
1. A join is refused for the first that applies of: forbidden (by the token), already-in-room,
   banned, too-many-rooms, room-not-open, room-locked, wrong-password, room-full.
2. Who waits if it is full is queued instead of room-not-open and room-full, after the password.
3. The joiner hears `room-joined`, those who were there hear `member-joined`; both name the joiner
   last. The state that a join changes shows in the joiner's reply, and nobody else is there.
4. While anybody waits who could come in, nobody passes.
5. A join may make a room that opens later only where it waits: otherwise it is refused, and there
   is no room.
"""

from datetime import UTC, datetime

from roomcall.protocol.errors import MAX_NAME, ErrorCode
from roomcall.protocol.replies import RoomCreated
from roomcall.protocol.requests import CreateRoom, JoinRoom, RoomSettings

from ...clients.session import Session
from ..outcome import Outcome, Refused, Send
from ..permissions import Action, Role, permitted
from ..room import Member, Room
from ..views import wire_room
from .waiting import admit, drop, enqueue, positions


def make(
    id: str, name: str, settings: RoomSettings, password: str | None, now: datetime, ttl: int
) -> Room:
    """A new room with nobody in it. `password` is a hash, `ttl` what rooms have by default."""
    return Room(
        id=id,
        name=name,
        created_at=now,
        max_participants=settings.max_participants,
        metadata=settings.metadata,
        password=password,
        opened=settings.opens_at is None or settings.opens_at <= now,
        opens_at=settings.opens_at and settings.opens_at.astimezone(UTC),
        closes_at=settings.closes_at and settings.closes_at.astimezone(UTC),
        empty_ttl=ttl if settings.empty_ttl_seconds is None else settings.empty_ttl_seconds,
    )


def create(room: Room, session: Session, request: CreateRoom) -> Outcome:
    """The maker of a new room enters it, unless it opens later."""
    _check_grant(room, session)
    check_may_create(session)
    entered: tuple[str, ...] = ()
    if room.opened:
        _check_limit(room, session)
        member = _member(room, session, request.payload, room.created_at)
        room = room.with_member(member, host=session.id)
        entered = (session.id,)
    reply = RoomCreated(request_id=request.request_id, room=wire_room(room))
    return Outcome(room=room, effects=(Send((session.id,), reply),), entered=entered)


def join(
    room: Room, session: Session, request: JoinRoom, now: datetime, proven: str | None
) -> Outcome:
    """`proven`: the hash of a password that the client has shown to know."""
    wanted = request.payload
    _check_grant(room, session)
    if session.id in room.members:
        raise Refused(ErrorCode.ALREADY_IN_ROOM, "you are in this room")
    if any(ban.holds_for(session.id, session.grant.subject) for ban in room.bans):
        raise Refused(ErrorCode.BANNED, "you are banned from this room")
    _check_limit(room, session)
    is_open = permitted(Role.OUTSIDER, Action.ENTER, room.state)
    if not is_open and not wanted.wait_if_full:
        raise Refused(ErrorCode.ROOM_NOT_OPEN, "the room has not opened")
    if room.locked:
        raise Refused(ErrorCode.ROOM_LOCKED, "the room is locked")
    if room.password is not None and room.password != proven:
        raise Refused(ErrorCode.WRONG_PASSWORD, "the password is missing or wrong")
    member = _member(room, session, wanted, now)
    others_wait = any(not waiting.away for waiting in room.queue if waiting.id != session.id)
    if is_open and not room.full and not others_wait:
        after, effects = admit(drop(room, session.id), member, request.request_id)
        effects = (*effects, *positions(after, room.queue))
    elif wanted.wait_if_full:
        after, effects = enqueue(room, member, request.request_id)
    else:
        raise Refused(ErrorCode.ROOM_FULL, "all places are taken, or others wait for one")
    return Outcome(room=after, effects=effects, entered=(session.id,))


def check_may_create(session: Session) -> None:
    if not session.grant.create:
        raise Refused(ErrorCode.FORBIDDEN, "your token does not let you make rooms")


def _check_grant(room: Room, session: Session) -> None:
    """A token may be for one room only, named by its id or by its public name."""
    if session.grant.room not in (None, room.id, room.public_name):
        raise Refused(ErrorCode.FORBIDDEN, "your token is for another room")


def _check_limit(room: Room, session: Session) -> None:
    if room.id not in session.rooms and len(session.rooms) >= session.max_rooms:
        raise Refused(
            ErrorCode.TOO_MANY_ROOMS, f"a client may be in {session.max_rooms} rooms at once"
        )


def _member(room: Room, session: Session, settings: RoomSettings, now: datetime) -> Member:
    grant = session.grant
    return Member(
        id=session.id,
        display_name=settings.display_name or (grant.subject or "")[:MAX_NAME],
        joined_at=now,
        subject=grant.subject,
        privileged=grant.host and grant.room is not None,
        bound=grant.room is not None,
    )
