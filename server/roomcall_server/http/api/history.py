"""The history of rooms over HTTP, for the admin. Where none is kept the server says so."""

from roomcall.protocol.errors import ErrorCode

from ...history import History, RoomHistory
from ...rooms.history import Analytics
from ...rooms.outcome import Refused
from .access import Forbidden
from .endpoint import Asked, Endpoint


async def history(asked: Asked) -> RoomHistory:
    id = asked.path["id"]
    events = await _kept(asked).events(id)
    if events is None:
        raise _unknown()
    return RoomHistory(id, events)


async def analytics(asked: Asked) -> Analytics:
    found = await _kept(asked).analytics(asked.path["id"])
    if found is None:
        raise _unknown()
    return found


async def overall(asked: Asked) -> Analytics:
    return await _kept(asked).overall()


def _kept(asked: Asked) -> History:
    if asked.service.history is None:
        raise Forbidden("this server keeps no history of rooms")
    return asked.service.history


def _unknown() -> Refused:
    return Refused(ErrorCode.ROOM_NOT_FOUND, "nothing is known of such a room")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/rooms/{id}/history",
        summary="What was in a room, oldest first",
        handle=history,
        reply=RoomHistory,
        admin=True,
    ),
    Endpoint(
        method="GET",
        path="/api/rooms/{id}/analytics",
        summary="What a room's history comes to",
        handle=analytics,
        reply=Analytics,
        admin=True,
    ),
    Endpoint(
        method="GET",
        path="/api/analytics",
        summary="What the history of all rooms comes to",
        handle=overall,
        reply=Analytics,
        admin=True,
    ),
)
