"""Direct mode, the flow before rooms: signals from client to client."""

from msgspec import UNSET

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..rooms.outcome import Refused
from ..rooms.rules import calling
from .context import Context

# What a direct client may say beside signals.
ALLOWED = (requests.Ping, requests.GetIceServers, requests.RefreshToken)


async def signal(context: Context, client: Client, request: requests.Request) -> None:
    """Whatever else a direct client says is about rooms, which it does not see."""
    if not isinstance(request, requests.Signal):
        raise Refused(ErrorCode.BAD_REQUEST, "not for a client in direct mode")
    if request.room_id is not UNSET:
        raise Refused(ErrorCode.BAD_REQUEST, "roomId: none in direct mode")
    target = context.clients.direct(request.to)
    if target is None or target is client:
        raise Refused(ErrorCode.PEER_NOT_FOUND, "there is no such direct client")
    target.send(calling.signaled(client.id, request))
