"""What a room is set to, and what follows when that changes.

Rules of this file:
1. `opens_at` and `closes_at` lie within a year, `closes_at` after `opens_at` and after now.
2. All members hear `room-updated` of the change itself; what follows for the queue comes after it.
3. A new password empties the queue: who waits has not shown to know it. A password that is taken
   off does not.
4. A limit below the count removes nobody.
5. Who entered by a token that names the room cannot rename it.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.replies import Error, RoomUpdated
from roomcall.protocol.requests import RoomChanges, RoomSettings, UpdateRoom

from ..outcome import Effect, Outcome, Refused, tell, tell_all
from ..permissions import Action, check
from ..room import Room
from ..views import wire_room
from .leaving import settle

_YEAR = timedelta(days=366)


def check_settings(settings: RoomSettings, max_empty_ttl: int, now: datetime) -> None:
    """Raises `Refused` with `bad-request`, which names the field."""
    check_empty_ttl(settings.empty_ttl_seconds, max_empty_ttl)
    opens_at, closes_at = settings.opens_at, settings.closes_at
    for name, time in (("opensAt", opens_at), ("closesAt", closes_at)):
        if time is not None and abs(time - now) > _YEAR:
            raise Refused(ErrorCode.BAD_REQUEST, f"{name}: not within a year")
    if closes_at is not None and closes_at <= max(now, opens_at or now):
        raise Refused(ErrorCode.BAD_REQUEST, "closesAt: not after now and opensAt")


def check_empty_ttl(seconds: int | UnsetType | None, limit: int) -> None:
    if isinstance(seconds, int) and seconds > limit:
        raise Refused(ErrorCode.BAD_REQUEST, f"emptyTtlSeconds: at most {limit} here")


def update(
    room: Room, client: str, request: UpdateRoom, password: str | None | UnsetType, now: datetime
) -> Outcome:
    """`password`: the hash of the new one, or as it is in the request."""
    check(room, client, Action.UPDATE)
    wanted = request.payload
    member = room.members.get(client)
    if member is not None and member.bound and wanted.name not in (UNSET, room.name):
        raise Refused(ErrorCode.FORBIDDEN, "name: your token names this room")
    after = replace(room, **_changes(room, wanted, password))
    news = RoomUpdated(room=wire_room(after))
    effects = tell_all(after, client, replace(news, request_id=request.request_id), news)
    gone: tuple[str, ...] = ()
    if isinstance(password, str):
        after, gone, refusals = _empty_queue(after)
        effects += refusals
    return settle(room, after, now, effects, gone)


def _changes(room: Room, wanted: RoomChanges, password: str | None | UnsetType) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "name": wanted.name,
        "max_participants": wanted.max_participants,
        "password": password,
        "locked": wanted.locked,
        "empty_ttl": wanted.empty_ttl_seconds,
    }
    if wanted.metadata is not UNSET:
        named = {
            name: value
            for name in ("description", "private")
            if (value := getattr(wanted.metadata, name)) is not UNSET
        }
        changes["metadata"] = replace(room.metadata, **named)
    return {name: value for name, value in changes.items() if value is not UNSET}


def _empty_queue(room: Room) -> tuple[Room, tuple[str, ...], tuple[Effect, ...]]:
    waiting = tuple(waiting.id for waiting in room.queue)
    refusal = Error(
        code=ErrorCode.WRONG_PASSWORD,
        message="the password has changed",
        request="join-room",
        room_id=room.id,
    )
    return replace(room, queue=()), waiting, tell(waiting, refusal)
