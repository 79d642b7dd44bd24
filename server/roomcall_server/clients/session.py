"""What the server keeps of a client for as long as its id lives. Pure."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace


class Grant(Struct, frozen=True, kw_only=True):
    """What a client may: the claims of its token, or everything where none is demanded.

    `room`: the only room, by name or id, that it may enter. `host`: with the host's rights there.
    """

    subject: str | None = None
    room: str | None = None
    create: bool = True
    host: bool = False
    expires_at: datetime | None = None


class Session(Struct, frozen=True, kw_only=True):
    """`rooms`: those it is in or waits for. `version` is the store's.

    `node` is the one of the store's nodes that has its connection, or its grace. `token_hash` is of
    the resume token, which itself is kept nowhere but by the client.
    """

    id: str
    max_rooms: int
    token_hash: str = ""
    direct: bool = False
    grant: Grant = Grant()
    version: int = 0
    node: str = ""
    rooms: frozenset[str] = frozenset()

    def entered(self, room: str) -> "Session":
        return replace(self, rooms=self.rooms | {room})

    def left(self, room: str) -> "Session":
        return replace(self, rooms=self.rooms - {room})

    def moved(self, node: str) -> "Session":
        return replace(self, node=node)

    def with_grant(self, grant: Grant) -> "Session":
        return replace(self, grant=grant)
