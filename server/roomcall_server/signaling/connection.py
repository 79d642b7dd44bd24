"""`get-ice-servers` and `ping`: between one client and the server."""

from roomcall.protocol import replies, requests

from ..clients.client import Client
from .context import Context


async def get_ice_servers(
    context: Context, client: Client, request: requests.GetIceServers
) -> None:
    client.send(
        replies.IceServers(
            request_id=request.request_id,
            ice_servers=context.ice.for_client(client.id, context.rooms.now()),
            ttl=context.config.turn_ttl,
        )
    )


async def ping(context: Context, client: Client, request: requests.Ping) -> None:
    client.send(replies.Pong(request_id=request.request_id))
