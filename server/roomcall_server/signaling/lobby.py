"""`list-rooms` and `get-room`: what can be known from outside."""

from roomcall.protocol import replies, requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..rooms.outcome import Refused
from ..rooms.room import wire_room_for, wire_row
from .context import Context


async def list_rooms(context: Context, client: Client, request: requests.ListRooms) -> None:
    wanted = request.payload
    try:
        page = await context.store.public_rooms(wanted.limit, wanted.after, wanted.query)
    except ValueError:
        raise Refused(ErrorCode.BAD_REQUEST, "after: not a cursor of this server") from None
    rows = [wire_row(room) for room in page.rooms]
    client.send(replies.RoomsList(request_id=request.request_id, rooms=rows, next=page.next))


async def get_room(context: Context, client: Client, request: requests.GetRoom) -> None:
    room = await context.rooms.get(request.payload.room_id)
    client.send(
        replies.RoomInfo(request_id=request.request_id, room=wire_room_for(room, client.id))
    )
