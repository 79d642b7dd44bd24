"""What the server keeps of a client for as long as its id lives. Pure."""

from msgspec import Struct
from msgspec.structs import replace


class Session(Struct, frozen=True, kw_only=True):
    """`rooms`: those it is in. `version` is the store's."""

    id: str
    max_rooms: int
    version: int = 0
    rooms: frozenset[str] = frozenset()

    def entered(self, room: str) -> "Session":
        return replace(self, rooms=self.rooms | {room})

    def left(self, room: str) -> "Session":
        return replace(self, rooms=self.rooms - {room})
