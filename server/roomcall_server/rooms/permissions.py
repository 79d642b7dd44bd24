"""Who may do what in which state of a room: one table.

Rules of this file:
1. What the table does not name is not allowed.
2. Whom the table refuses is told `not-in-room` where it is not in the room, else `forbidden`.
3. Entering has refusals of its own, and their order: see `rules/entering.py`.
"""

from enum import Enum, auto

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.room import RoomState

from .outcome import Refused
from .room import Room

ADMIN = ""  # who asks over HTTP with the admin token: an id that no client has


class Role(Enum):
    """`HOST`: the host itself, or a member whose token gives it the host's rights."""

    __hash__ = object.__hash__  # a member is only ever itself, and Enum's own is slow

    OUTSIDER = auto()
    MEMBER = auto()
    HOST = auto()
    ADMIN = auto()


class Action(Enum):
    __hash__ = object.__hash__

    ENTER = auto()
    LEAVE = auto()
    SEE_MEMBERS = auto()
    SIGNAL = auto()
    CHAT = auto()
    READ_CHAT = auto()
    SET_MEDIA_STATE = auto()
    UPDATE = auto()
    CLOSE = auto()
    TRANSFER_HOST = auto()
    REMOVE = auto()
    UNBAN = auto()
    MUTE = auto()


_NEVER: frozenset[RoomState] = frozenset()
_ANY = frozenset(RoomState)
_OPEN = _ANY - {RoomState.SCHEDULED}
_USED = frozenset({RoomState.ACTIVE, RoomState.IN_CALL})

TABLE: dict[Action, dict[Role, frozenset[RoomState]]] = {
    Action.ENTER: {Role.OUTSIDER: _OPEN},
    Action.LEAVE: {Role.MEMBER: _USED, Role.HOST: _USED},
    Action.SEE_MEMBERS: {Role.MEMBER: _USED, Role.HOST: _USED, Role.ADMIN: _ANY},
    Action.SIGNAL: {Role.MEMBER: _USED, Role.HOST: _USED},
    Action.CHAT: {Role.MEMBER: _USED, Role.HOST: _USED},
    Action.READ_CHAT: {Role.MEMBER: _USED, Role.HOST: _USED},
    Action.SET_MEDIA_STATE: {Role.MEMBER: _USED, Role.HOST: _USED},
    Action.UPDATE: {Role.HOST: _USED, Role.ADMIN: _ANY},
    Action.CLOSE: {Role.HOST: _USED, Role.ADMIN: _ANY},
    Action.TRANSFER_HOST: {Role.HOST: _USED},
    Action.REMOVE: {Role.HOST: _USED, Role.ADMIN: _USED},
    Action.UNBAN: {Role.HOST: _USED},
    Action.MUTE: {Role.HOST: _USED, Role.ADMIN: _USED},
}


def role_of(room: Room, client: str) -> Role:
    if client == ADMIN:
        return Role.ADMIN
    member = room.members.get(client)
    if member is None:
        return Role.OUTSIDER
    return Role.HOST if client == room.host or member.privileged else Role.MEMBER


def permitted(role: Role, action: Action, state: RoomState) -> bool:
    return state in TABLE[action].get(role, _NEVER)


def check(room: Room, client: str, action: Action) -> None:
    """Raises `Refused` where the table does not allow it."""
    role = role_of(room, client)
    if permitted(role, action, room.state):
        return
    if role is Role.OUTSIDER:
        raise Refused(ErrorCode.NOT_IN_ROOM, "you are not in this room")
    raise Refused(ErrorCode.FORBIDDEN, "this is for the host of the room")


def check_member(room: Room, member: str) -> None:
    """Raises `Refused` where the one whom a request is about is not in the room."""
    if member not in room.members:
        raise Refused(ErrorCode.PEER_NOT_FOUND, "there is no such member in this room")
