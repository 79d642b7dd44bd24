"""The interface of every store.

A store keeps two kinds of versioned record, rooms and sessions. A commit takes a set of them at
once: either every record is still what the rules have seen, and all are written, or `Conflict` is
raised, nothing is written, and the rules run again. The effects of a commit are delivered in the
order of the commits, so that everybody sees the same order.

What is told of a change is told when the change is kept, and not before. A store that cannot keep
anything just now is away: it raises `StoreAway`, and is as it was before.

Several servers may share a store: each is a node, with the clients that are connected to it. All
nodes see all records and every change of them, and each tells the clients that it has.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from roomcall.protocol.replies import ChatMessage

from ..clients.session import Session
from ..figures import StoreCalls
from ..rooms.history import RoomEvent
from ..rooms.outcome import Effect, Send
from ..rooms.room import Room

CLOSED_FOR = timedelta(hours=1)


class Conflict(Exception):
    """A record is no longer what it was when the rules ran, or its name or id cannot be had."""


class StoreError(Exception):
    """A store cannot be opened: the message says which, why, and what to do."""


class StoreAway(Exception):
    """Nothing can be kept just now (a full disk, say). Nothing is written, nobody is told."""


class StoreUncertain(StoreAway):
    """The store went away in the middle of it: it may be written, and told when it is back."""


class RoomWrite(Struct, frozen=True):
    """`before` None: there is no such room yet. `after` None: it goes, and with it its chat; with
    `closed_at` no room of that id can be made for a while."""

    before: Room | None
    after: Room | None
    closed_at: datetime | None = None


class SessionWrite(Struct, frozen=True):
    """`before` None: there is no such session yet. `after` None: it goes."""

    before: Session | None
    after: Session | None


class Commit(Struct, frozen=True, kw_only=True):
    """What is written at once, and told when it is. `events` are with the room of each."""

    rooms: tuple[RoomWrite, ...] = ()
    sessions: tuple[SessionWrite, ...] = ()
    effects: tuple[Effect, ...] = ()
    events: tuple[tuple[str, RoomEvent], ...] = ()


class KeptEvent(Struct, frozen=True):
    """`id` rises from event to event, over all rooms."""

    id: int
    room: str
    event: RoomEvent


class Page(Struct, frozen=True):
    """Public rooms in the order of their making. `next`: the cursor for those after, if any."""

    rooms: list[Room]
    next: str | None


class Inherited(Struct, frozen=True):
    """What a former process has left. In its rooms everybody is away."""

    rooms: tuple[Room, ...] = ()
    sessions: tuple[Session, ...] = ()


Deliver = Callable[[Sequence[Send]], None]
# A commit is applied here: what was written, with the versions that the rules had seen, and
# whether it was made by this node. Called before its effects are delivered.
Changed = Callable[[Sequence[RoomWrite], Sequence[SessionWrite], bool], None]
# This node has found that one dead and taken it off: whoever else did has lost the race. The
# sessions with that `node` are this one's to look after.
Buried = Callable[[str], None]
# Clients of this node may have missed something, and `node` may be another one than before: records
# are right by now. A client whose session is gone, or names another node, is no longer this one's.
Lost = Callable[[], None]
# A question of that node, and what it is answered.
Answer = Callable[[str, bytes], Awaitable[bytes]]


def ignore(*_: object) -> None:
    """A listener that does nothing."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who brings effects to the clients, and who wants to know of the rest; `posted` takes what
    another node has published to clients that it takes to be here. None of them may suspend or
    raise."""

    deliver: Deliver = ignore
    changed: Changed = ignore
    buried: Buried = ignore
    lost: Lost = ignore
    posted: Deliver = ignore


class Store(Protocol):
    """Every value that it returns carries the `version` by which a commit knows it again."""

    @property
    def node(self) -> str:
        """What sessions name as their `node` that are of this one; empty where it is alone."""

    @property
    def calls(self) -> StoreCalls | None:
        """What it counts of its calls of a server of its own, where it has one."""

    def listen(self, listeners: Listeners) -> None:
        """Called once, before anything else."""

    def answer(self, answer: Answer) -> None:
        """Name who answers other nodes. What it raises, they see as silence."""

    async def ask(self, node: str, message: bytes) -> bytes:
        """Raises `StoreAway` where there is no such node or nothing can be asked just now, and
        `TimeoutError` where it is silent for a second."""

    async def inherited(self) -> Inherited:
        """Asked once, before the first commit."""

    @property
    def available(self) -> bool:
        """False while the store is away."""

    async def returned(self) -> None:
        """Wait until it is available."""

    async def room(self, id: str) -> Room | None: ...

    async def room_named(self, name: str) -> Room | None:
        """The public room of exactly this name."""

    async def rooms_named(self, name: str) -> list[Room]:
        """All of exactly this name, private ones too."""

    async def rooms(self) -> list[Room]:
        """All of them."""

    async def room_count(self) -> int: ...

    async def public_rooms(self, limit: int, after: str | None, query: str) -> Page:
        """Those whose name contains `query`, in any case. Raises `ValueError` for a bad cursor."""

    async def session(self, id: str) -> Session | None: ...

    async def sessions_at(self, node: str) -> list[Session]:
        """Those that this node has."""

    async def commit(self, commit: Commit) -> None:
        """Write all and tell, or raise `Conflict` or `StoreAway` and do neither. Raises
        `StoreUncertain` where it cannot be known which."""

    async def closed_at(self, id: str) -> datetime | None:
        """When a room of this id was closed, if that was within the hour."""

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        """The latest messages before this id, oldest first, and whether there are older ones.

        Raises `StoreAway`.
        """

    async def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        """Those with ids above `after`, in order; of this room, or of all. Raises `StoreAway`."""

    async def purge(self, now: datetime) -> None:
        """Forget what is kept for a while only. Raises `StoreAway`."""

    async def publish(self, effects: Sequence[Effect], room: str | None = None) -> None:
        """Tell without writing records, in order with the commits: all of them, or those of the one
        room that it is about. Raises `StoreAway`."""

    async def close(self) -> None:
        """When what was committed is written. Nothing else is called after it."""
