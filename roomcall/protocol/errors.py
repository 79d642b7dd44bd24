"""Error codes, WebSocket close codes and limits of the protocol."""

from enum import IntEnum, StrEnum

MAX_NAME = 128
MAX_DESCRIPTION = 1024
MAX_REASON = 256
MAX_PASSWORD = 256
MAX_CHAT = 4096
MAX_REQUEST_ID = 128
MAX_MESSAGE_BYTES = 65_536
MAX_ROOMS_PER_CLIENT = 8


class ErrorCode(StrEnum):
    """`code` of an `error` message; the connection stays open."""

    BAD_JSON = "bad-json"
    BAD_REQUEST = "bad-request"
    UNKNOWN_TYPE = "unknown-type"
    ROOM_NOT_FOUND = "room-not-found"
    ROOM_FULL = "room-full"
    ROOM_LOCKED = "room-locked"
    ROOM_NOT_OPEN = "room-not-open"
    WRONG_PASSWORD = "wrong-password"
    BANNED = "banned"
    ALREADY_IN_ROOM = "already-in-room"
    NOT_IN_ROOM = "not-in-room"
    PEER_NOT_FOUND = "peer-not-found"
    FORBIDDEN = "forbidden"
    TOO_MANY_ROOMS = "too-many-rooms"
    NAME_TAKEN = "name-taken"
    PAYLOAD_TOO_LARGE = "payload-too-large"
    RATE_LIMITED = "rate-limited"
    DIRECT_MODE_DISABLED = "direct-mode-disabled"
    INTERNAL = "internal"


class CloseCode(IntEnum):
    """Why the server ends a WebSocket (RFC 6455 section 7.4, and the protocol's own)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    NOT_UTF8 = 1007
    TOO_BIG = 1009
    UNAUTHORIZED = 4001
    TOO_SLOW = 4008
    TAKEN_OVER = 4009
    SERVER_FULL = 4013
    RATE_LIMITED = 4029


# After these a client does not come back by itself: the server has refused it.
REFUSED_CLOSE_CODES: dict[int, str] = {
    CloseCode.UNAUTHORIZED: "unauthorized",
    CloseCode.TOO_SLOW: "too-slow",
    CloseCode.SERVER_FULL: "server-full",
    CloseCode.RATE_LIMITED: "rate-limited",
}


class ProtocolViolation(Exception):
    """A message from a client that cannot be taken.

    `code` goes into the `error` reply, `message` names the field at fault, `request` is the type
    of the message where it could be read, `request_id` what the reply echoes.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        request: str | None = None,
        request_id: str | int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.request = request
        self.request_id = request_id
