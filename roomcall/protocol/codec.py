"""JSON text frame to typed message and back.

`decode_request` is the server's edge, `decode_reply` the client's. Both take one frame's bytes.
"""

import msgspec
from msgspec import Raw

from .depth import MAX_DEPTH, too_deep
from .errors import ErrorCode, ProtocolViolation
from .replies import AnyReply, Reply
from .requests import AnyRequest, Request, RequestId

_requests = msgspec.json.Decoder(AnyRequest)
_replies = msgspec.json.Decoder(AnyReply)
_encoder = msgspec.json.Encoder()


class _Envelope(msgspec.Struct):
    type: str | None = None


class _RequestIdOnly(msgspec.Struct, rename="camel"):
    request_id: RequestId | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_request_ids = msgspec.json.Decoder(_RequestIdOnly)
_known_types = {struct.__struct_config__.tag for struct in AnyRequest.__args__}


def encode(message: Request | Reply) -> bytes:
    """One message as UTF-8 JSON, without fields that are unset."""
    return _encoder.encode(message)


def decode_request(frame: bytes | str) -> AnyRequest:
    """A client's frame as a typed request.

    Raises `ProtocolViolation` with `bad-json`, `bad-request` (its message names the field) or
    `unknown-type`, in that order of precedence.
    """
    if too_deep(frame if isinstance(frame, str) else frame.decode(errors="replace")):
        raise _explain(frame, f"nested deeper than {MAX_DEPTH} levels")
    try:
        request: AnyRequest = _requests.decode(frame)
        return request
    except msgspec.ValidationError as error:
        raise _explain(frame, in_words(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolViolation(ErrorCode.BAD_JSON, f"not JSON: {error}") from None


def in_words(error: msgspec.ValidationError) -> str:
    """What is wrong with a value, and where it stands."""
    text, at, where = str(error).partition(" - at ")
    if "matching regex" in text:
        text = "Expected `str` without control characters"
    return text + at + where


def _explain(frame: bytes | str, reason: str) -> ProtocolViolation:
    """What a frame is guilty of that is no request, with what an error reply echoes.

    The typed decoder stops at the first field that is wrong, so the rest may still be no JSON.
    """
    try:
        msgspec.json.decode(frame, type=Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        return ProtocolViolation(ErrorCode.BAD_JSON, f"not JSON: {error}")
    request, request_id = peek(frame)
    try:
        _request_ids.decode(frame)
    except msgspec.ValidationError:
        pass  # it is itself at fault, which goes before a type that is unknown
    else:
        if request is not None and request not in _known_types:
            reason = f"unknown message type {request[:64]!r}"
            return ProtocolViolation(
                ErrorCode.UNKNOWN_TYPE, reason, request=request, request_id=request_id
            )
    return ProtocolViolation(ErrorCode.BAD_REQUEST, reason, request=request, request_id=request_id)


def peek(frame: bytes | str) -> tuple[str | None, RequestId | None]:
    """`type` and `requestId` of a frame, as far as they can be read: what an error echoes."""
    request: str | None = None
    request_id: RequestId | None = None
    try:
        request = _envelopes.decode(frame).type
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        request_id = _request_ids.decode(frame).request_id
    except (msgspec.DecodeError, RecursionError):
        pass
    return request, request_id


def decode_reply(frame: bytes | str) -> AnyReply | None:
    """A server's frame as a typed message; None for a type that this version does not know.

    Raises `msgspec.DecodeError` (of which `ValidationError` is one) where the frame is no message.
    """
    try:
        reply: AnyReply = _replies.decode(frame)
        return reply
    except msgspec.ValidationError:
        kind = _envelopes.decode(frame).type
        if kind is not None and kind not in _known_replies:
            return None
        raise


_known_replies = {struct.__struct_config__.tag for struct in AnyReply.__args__}
