"""What ends a room, and what time does to it.

Rules of this file:
1. A close is told by `room-closed` only, to the members and to those who wait.
2. At `opens_at` those who wait come in; at `closes_at` the room closes as by its host.
3. An empty room whose time is over vanishes; that is no close, and its id may be used again.
"""

from datetime import datetime

from msgspec.structs import replace

from roomcall.protocol.replies import RoomClosed
from roomcall.protocol.requests import CloseRoom

from ..lifetime import vanishes_at
from ..outcome import Effect, Outcome, Send, tell
from ..permissions import Action, check
from ..room import Room
from .waiting import admit_waiting


def close(room: Room, client: str, request: CloseRoom, now: datetime) -> Outcome:
    check(room, client, Action.CLOSE)
    reply = RoomClosed(request_id=request.request_id, room_id=room.id)
    return _close(room, now, client, Send((client,), reply))


def tick(room: Room, now: datetime) -> Outcome:
    """What is due by now."""
    if room.closes_at is not None and room.closes_at <= now:
        return _close(room, now)
    if not room.opened and room.opens_at is not None and room.opens_at <= now:
        room, effects = admit_waiting(replace(room, opened=True), now, room.queue)
        return Outcome(room=room, effects=effects)
    return vanish(room, now) or Outcome(room=room)


def vanish(room: Room, now: datetime) -> Outcome | None:
    """The end of a room whose time is over; those who wait in vain hear of it."""
    end = vanishes_at(room)
    if end is None or end > now:
        return None
    waiting = tuple(waiting.id for waiting in room.queue)
    return Outcome(room=None, effects=tell(waiting, RoomClosed(room_id=room.id)), gone=waiting)


def _close(room: Room, now: datetime, asker: str = "", *first: Effect) -> Outcome:
    inside = (*room.members, *(waiting.id for waiting in room.queue))
    others = tuple(id for id in inside if id != asker)
    effects = (*first, *tell(others, RoomClosed(room_id=room.id)))
    return Outcome(room=None, effects=effects, gone=inside, reason="room-closed", closed_at=now)
