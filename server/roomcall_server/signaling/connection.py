"""`get-ice-servers`, `refresh-token` and `ping`: between one client and the server."""

from roomcall.protocol import replies, requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..rooms.outcome import Refused
from .context import Context


async def get_ice_servers(
    context: Context, client: Client, request: requests.GetIceServers
) -> None:
    reply = replies.IceServers(
        request_id=request.request_id,
        ice_servers=context.ice.for_client(client.id, context.rooms.now()),
        ttl=context.config.turn_ttl,
    )
    await context.tell(client, reply)


async def refresh_token(context: Context, client: Client, request: requests.RefreshToken) -> None:
    if context.tokens is None:
        raise Refused(ErrorCode.BAD_REQUEST, "this server demands no token")
    grant = context.tokens.read(request.payload.token)
    if grant is None:
        raise Refused(ErrorCode.FORBIDDEN, "token: wrong, or expired")
    await context.sessions.refresh(client, grant)
    await context.tell(client, replies.TokenRefreshed(request_id=request.request_id))


async def ping(context: Context, client: Client, request: requests.Ping) -> None:
    await context.tell(client, replies.Pong(request_id=request.request_id))
