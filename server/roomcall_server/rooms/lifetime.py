"""When a room opens, closes and vanishes by itself.

Rules of this file:
1. An empty room lives for its `empty_ttl` from when its last member left.
2. One that never had a member lives for at least 300 s from its making or its `opens_at`.
3. While somebody waits who will get a place, the room does not vanish.
"""

from datetime import datetime, timedelta

from .room import Room

UNUSED_TTL = 300


def vanishes_at(room: Room) -> datetime | None:
    """None: not by being empty."""
    if room.members or (room.queue and not room.locked):
        return None
    if room.emptied_at is not None:
        return room.emptied_at + timedelta(seconds=room.empty_ttl)
    begin = max(room.created_at, room.opens_at or room.created_at)
    return begin + timedelta(seconds=max(UNUSED_TTL, room.empty_ttl))


def due_at(room: Room) -> datetime | None:
    """The next time at which something happens to the room by itself."""
    if room.opened and room.members and room.closes_at is None:  # as most are
        return None
    opens_at = None if room.opened else room.opens_at
    return min(filter(None, (opens_at, room.closes_at, vanishes_at(room))), default=None)
