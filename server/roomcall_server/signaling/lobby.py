"""`list-rooms` and `get-room`: what can be known from outside."""

from unicodedata import normalize

from roomcall.protocol import replies, requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..rooms.outcome import Refused
from ..rooms.room import Room
from ..rooms.views import wire_room_for, wire_row
from ..store.base import Page
from .context import Context


async def list_rooms(context: Context, client: Client, request: requests.ListRooms) -> None:
    session = await context.store.session(client.id)
    only = None if session is None else session.grant.room
    page = await visible_rooms(context, only, request.payload)
    rows = [wire_row(room) for room in page.rooms]
    reply = replies.RoomsList(request_id=request.request_id, rooms=rows, next=page.next)
    await context.tell(client, reply)


async def visible_rooms(
    context: Context, only: str | None, wanted: requests.ListRoomsPayload
) -> Page:
    """`only`: the room that a token is for, where it is for one. Raises `Refused`."""
    if only is not None:
        return Page(await _only_room(context, only), None)
    try:
        query = normalize("NFC", wanted.query)  # as names are kept
        return await context.store.public_rooms(wanted.limit, wanted.after, query)
    except ValueError:
        raise Refused(ErrorCode.BAD_REQUEST, "after: not a cursor of this server") from None


async def _only_room(context: Context, named: str) -> list[Room]:
    """The room that a token is for, by its id or its name, where it is public."""
    room = await context.store.room(named) or await context.store.room_named(named)
    return [room] if room is not None and room.public_name is not None else []


async def get_room(context: Context, client: Client, request: requests.GetRoom) -> None:
    room = await context.rooms.get(request.payload.room_id)
    reply = replies.RoomInfo(request_id=request.request_id, room=wire_room_for(room, client.id))
    await context.tell(client, reply)
