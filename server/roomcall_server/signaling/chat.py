"""`chat` and `chat-history`."""

from roomcall.protocol import replies, requests

from ..clients.client import Client
from ..rooms.permissions import Action, check
from ..rooms.rules import chatting
from .context import Context


async def chat(context: Context, client: Client, request: requests.Chat) -> None:
    await context.rooms.change(
        request.room_id,
        lambda room: chatting.chat(room, client.id, request, context.rooms.now()),
    )


async def chat_history(context: Context, client: Client, request: requests.ChatHistory) -> None:
    wanted = request.payload
    check(await context.rooms.get(wanted.room_id), client.id, Action.READ_CHAT)
    messages, has_more = await context.store.chat(wanted.room_id, wanted.before, wanted.limit)
    reply = replies.ChatHistory(
        request_id=request.request_id,
        room_id=wanted.room_id,
        messages=messages,
        has_more=has_more,
    )
    await context.tell(client, reply)
