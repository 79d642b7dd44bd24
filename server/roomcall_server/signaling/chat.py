"""`chat`."""

from roomcall.protocol import requests

from ..clients.client import Client
from ..rooms.rules import chatting
from .context import Context


async def chat(context: Context, client: Client, request: requests.Chat) -> None:
    await context.rooms.change(
        request.room_id,
        lambda room: chatting.chat(room, client.id, request, context.rooms.now()),
    )
