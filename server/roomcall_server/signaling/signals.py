"""`offer`, `answer`, `ice-candidate`, `hangup`, `renegotiate`: from member to member."""

from msgspec import UNSET

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..rooms.outcome import Refused
from ..rooms.rules import calling
from .context import Context


async def signal(context: Context, client: Client, request: requests.Signal) -> None:
    if request.room_id is UNSET:
        raise Refused(ErrorCode.BAD_REQUEST, "roomId: needed outside direct mode")
    await context.rooms.change(
        request.room_id, lambda room: calling.signal(room, client.id, request)
    )
