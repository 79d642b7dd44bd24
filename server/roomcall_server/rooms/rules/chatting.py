"""Chat.

Rules of this file:
1. Every message to all takes the next number of its room; the first is 1.
2. All members get it; the sender's own copy is the reply.
"""

from datetime import datetime

from msgspec.structs import replace

from roomcall.protocol.errors import MAX_CHAT, ErrorCode
from roomcall.protocol.replies import ChatMessage
from roomcall.protocol.requests import Chat

from ..outcome import Outcome, Refused, Send, tell
from ..room import Room


def chat(room: Room, client: str, request: Chat, now: datetime) -> Outcome:
    if client not in room.members:
        raise Refused(ErrorCode.NOT_IN_ROOM, "you are not in this room")
    if len(request.payload) > MAX_CHAT:
        raise Refused(
            ErrorCode.PAYLOAD_TOO_LARGE, f"payload: at most {MAX_CHAT} characters are allowed"
        )
    after = replace(room, chats=room.chats + 1)
    message = ChatMessage(
        room_id=room.id, sender=client, payload=request.payload, id=after.chats, sent_at=now
    )
    reply = replace(message, request_id=request.request_id)
    effects = (Send((client,), reply), *tell(room.others(client), message))
    return Outcome(room=after, effects=effects)
