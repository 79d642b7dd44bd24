"""The interface of every store.

A store keeps two kinds of versioned record, rooms and sessions. A commit takes a set of them at
once: either every record is still what the rules have seen, and all are written, or `Conflict` is
raised, nothing is written, and the rules run again. The effects of a commit are delivered in the
order of the commits, so that everybody sees the same order.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from ..clients.session import Session
from ..rooms.outcome import Effect
from ..rooms.room import Room

Deliver = Callable[[Sequence[Effect]], None]


class Conflict(Exception):
    """A record is no longer what it was when the rules ran, or its public name is taken."""


class RoomWrite(Struct, frozen=True):
    """`before` None: there is no such room yet. `after` None: it goes."""

    before: Room | None
    after: Room | None


class SessionWrite(Struct, frozen=True):
    """`before` None: there is no such session yet. `after` None: it goes."""

    before: Session | None
    after: Session | None


class Commit(Struct, frozen=True, kw_only=True):
    """What is written at once, and told when it is."""

    rooms: tuple[RoomWrite, ...] = ()
    sessions: tuple[SessionWrite, ...] = ()
    effects: tuple[Effect, ...] = ()


class Page(Struct, frozen=True):
    """Public rooms in the order of their making. `next`: the cursor for those after, if any."""

    rooms: list[Room]
    next: str | None


class Store(Protocol):
    """Every value that it returns carries the `version` by which a commit knows it again."""

    def listen(self, deliver: Deliver) -> None:
        """Name who brings effects to the clients. Called once, before anything else."""

    async def room(self, id: str) -> Room | None: ...

    async def room_named(self, name: str) -> Room | None:
        """The public room of exactly this name."""

    async def room_count(self) -> int: ...

    async def public_rooms(self, limit: int, after: str | None, query: str) -> Page:
        """Those whose name contains `query`, in any case. Raises `ValueError` for a bad cursor."""

    async def session(self, id: str) -> Session | None: ...

    async def commit(self, commit: Commit) -> None:
        """Write all and tell, or raise `Conflict` and do neither."""

    async def publish(self, effects: Sequence[Effect]) -> None:
        """Tell without writing, in order with the commits."""
