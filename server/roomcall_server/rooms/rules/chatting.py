"""Chat.

Rules of this file:
1. Every message to all takes the next number of its room; the first is 1. The history keeps it.
2. One to a single member takes no number, and is not kept.
3. All whom it is for get it; the sender's own copy is the reply.
"""

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from roomcall.protocol.errors import MAX_CHAT, ErrorCode
from roomcall.protocol.replies import ChatMessage
from roomcall.protocol.requests import Chat

from ..outcome import Effect, Keep, Outcome, Refused, Send, tell
from ..permissions import Action, check, check_member
from ..room import Room


def chat(room: Room, client: str, request: Chat, now: datetime) -> Outcome:
    check(room, client, Action.CHAT)
    if isinstance(request.to, str):
        check_member(room, request.to)
    if len(request.payload) > MAX_CHAT:
        raise Refused(
            ErrorCode.PAYLOAD_TOO_LARGE, f"payload: at most {MAX_CHAT} characters are allowed"
        )
    aside = isinstance(request.to, str)
    number = None if aside else room.chats + 1
    message = ChatMessage(
        room_id=room.id,
        sender=client,
        payload=request.payload,
        id=number,
        sent_at=now,
        to=request.to,
    )
    told = (request.to,) if isinstance(request.to, str) else tuple(room.members)
    effects: tuple[Effect, ...]
    if request.request_id is UNSET and client in told:  # all get the same
        effects = (Send(told, message),)
    else:
        reply = Send((client,), replace(message, request_id=request.request_id))
        effects = (reply, *tell(tuple(id for id in told if id != client), message))
    if number is None:
        return Outcome(room=room, effects=effects)
    return Outcome(room=replace(room, chats=number), effects=(Keep(message), *effects))
