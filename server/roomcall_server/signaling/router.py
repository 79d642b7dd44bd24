"""Which function handles which message, and what a client is told when one fails."""

from msgspec import UNSET, UnsetType

from roomcall.protocol import codec, replies, requests
from roomcall.protocol.errors import CloseCode, ErrorCode, ProtocolViolation

from ..clients.client import Client
from ..logs import get_logger
from ..rooms.outcome import Refused
from ..store.base import StoreAway, StoreUncertain
from . import chat, connection, direct, hosting, lobby, members, signals
from .context import Context, Handler

HANDLERS: dict[type[requests.Request], Handler] = {
    requests.CreateRoom: members.create_room,
    requests.JoinRoom: members.join_room,
    requests.LeaveRoom: members.leave_room,
    requests.ListRooms: lobby.list_rooms,
    requests.GetRoom: lobby.get_room,
    requests.UpdateRoom: hosting.update_room,
    requests.CloseRoom: hosting.close_room,
    requests.TransferHost: hosting.transfer_host,
    requests.RemoveMember: hosting.remove_member,
    requests.UnbanMember: hosting.unban_member,
    requests.MuteMember: hosting.mute_member,
    requests.SetMediaState: hosting.set_media_state,
    requests.Offer: signals.signal,
    requests.Answer: signals.signal,
    requests.IceCandidate: signals.signal,
    requests.Hangup: signals.signal,
    requests.Renegotiate: signals.signal,
    requests.Chat: chat.chat,
    requests.ChatHistory: chat.chat_history,
    requests.RefreshToken: connection.refresh_token,
    requests.GetIceServers: connection.get_ice_servers,
    requests.Ping: connection.ping,
}

_JOINS = frozenset((requests.CreateRoom, requests.JoinRoom))

log = get_logger("router")


async def handle(context: Context, client: Client, frame: str | bytes) -> None:
    """Take one message of a client. Whatever is wrong with it, the connection stays."""
    if not isinstance(frame, str):
        text = "a binary frame: text is needed"
        return _fail(context, client, violated(ProtocolViolation(ErrorCode.BAD_REQUEST, text)))
    try:
        request = codec.decode_request(frame)
    except ProtocolViolation as error:
        return _fail(context, client, violated(error))
    context.figures.received[type(request)] += 1
    try:
        try:
            await _handler(context, client, request)(context, client, request)
        except Refused as error:
            context.figures.errors[error.code] += 1
            await context.tell(client, refused(request, error.code, error.message))
    except StoreUncertain:
        text = "the server cannot tell whether this was kept: look before you try again"
        _fail(context, client, refused(request, ErrorCode.INTERNAL, text))
    except StoreAway:
        text = "the server can keep nothing just now; nothing has changed: try again later"
        _fail(context, client, refused(request, ErrorCode.INTERNAL, text))
    except Exception:
        log.exception("message failed", client=client.id, type=_type(request))
        text = "the server has made a mistake"
        _fail(context, client, refused(request, ErrorCode.INTERNAL, text))


def _fail(context: Context, client: Client, error: replies.Error) -> None:
    context.figures.errors[error.code] += 1
    client.send(error)


def _handler(context: Context, client: Client, request: requests.Request) -> Handler:
    if client.direct and not isinstance(request, direct.ALLOWED):
        return direct.signal
    if type(request) in _JOINS and not context.may_join(client.address):
        if context.joins_for_long(client.address) and client.connection is not None:
            client.connection.close(CloseCode.RATE_LIMITED)
        raise Refused(ErrorCode.RATE_LIMITED, "too many joins a second from your address")
    return HANDLERS[type(request)]


def over_rate(context: Context, client: Client, frame: str | bytes) -> None:
    """Tell a client that this message of it was not taken."""
    request, request_id = codec.peek(frame)
    code, text = ErrorCode.RATE_LIMITED, "too many messages or bytes a second"
    error = ProtocolViolation(code, text, request=request, request_id=request_id)
    _fail(context, client, violated(error))


def violated(error: ProtocolViolation) -> replies.Error:
    return replies.Error(
        request_id=UNSET if error.request_id is None else error.request_id,
        code=error.code,
        message=error.message,
        request=error.request,
    )


def refused(request: requests.Request, code: ErrorCode, message: str) -> replies.Error:
    """The error names what the request was about."""
    about = getattr(request, "payload", None)
    return replies.Error(
        request_id=request.request_id,
        code=code,
        message=message,
        request=_type(request),
        room_id=_text(request, "room_id") or _text(about, "room_id") or UNSET,
        to=_text(request, "to") or _text(about, "member_id") or UNSET,
    )


def _text(value: object, name: str) -> str | None:
    found: str | UnsetType | None = getattr(value, name, None)
    return None if found is UNSET else found


def _type(request: requests.Request) -> str:
    return str(request.__struct_config__.tag)
