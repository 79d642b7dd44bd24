"""Members and waiting clients whose connection is lost, and who come back.

Rules of this file:
1. Nobody is told of either: to the others, one that is away is there.
2. One that waits and comes back takes the place that it was skipped for, where there is one.
"""

from datetime import datetime

from msgspec.structs import replace

from ..outcome import Outcome
from ..room import Room
from .waiting import admit_waiting


def away(room: Room, client: str) -> Outcome:
    return Outcome(room=_mark(room, client, True))


def back(room: Room, client: str, now: datetime) -> Outcome:
    after, effects = admit_waiting(_mark(room, client, False), now, room.queue)
    return Outcome(room=after, effects=effects)


def _mark(room: Room, client: str, is_away: bool) -> Room:
    if client in room.members:
        return room.with_member(replace(room.members[client], away=is_away))
    queue = tuple(
        replace(waiting, away=is_away) if waiting.id == client else waiting
        for waiting in room.queue
    )
    return replace(room, queue=queue)
