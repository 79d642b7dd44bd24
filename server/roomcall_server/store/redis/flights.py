"""Commits of this node on their way: from when they are handed over until they are applied here, or
it is known that they are not.

Rules of this file:
1. Of a room one commit at a time is on its way. What is only told of the room waits for it.
2. A commit whose fate is not known keeps its caller waiting for a while only. When it comes by the
   stream after all, it is applied and told like any other.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..base import Commit, StoreAway, StoreUncertain


@dataclass(slots=True, eq=False)
class Flight:
    """`known`: Redis has said that it is written. `then`: what waits for its end."""

    id: int
    commit: Commit
    rooms: tuple[str, ...]
    done: "asyncio.Future[None]"
    known: bool = False
    then: list[Callable[[], None]] = field(default_factory=list)


class Flights:
    """What waits is bounded by who waits for it: a client at a time one."""

    def __init__(self) -> None:
        self._last = 0
        self._flying: dict[int, Flight] = {}
        self._rooms: dict[str, Flight] = {}

    def next_id(self) -> int:
        self._last += 1
        return self._last

    def begin(self, id: int, commit: Commit, rooms: tuple[str, ...]) -> Flight:
        flight = Flight(id, commit, rooms, asyncio.get_running_loop().create_future())
        self._flying[id] = flight
        self._rooms.update(dict.fromkeys(rooms, flight))
        return flight

    def of(self, rooms: Sequence[str]) -> Flight | None:
        """The commit that one of these rooms waits for."""
        for room in rooms:
            if (flight := self._rooms.get(room)) is not None:
                return flight
        return None

    def get(self, id: int) -> Flight | None:
        return self._flying.get(id)

    def end(self, flight: Flight, error: Exception | None = None) -> None:
        """It is applied, or it is known that it is not; may be said twice."""
        self._flying.pop(flight.id, None)
        self._answer(flight, error)

    def doubt(self) -> None:
        """Whoever still waits has waited long enough."""
        for flight in list(self._flying.values()):
            self._answer(flight, StoreUncertain())

    def settle(self, *, known: bool) -> None:
        """What has not been applied by now never is. `known`: all that was written is applied; else
        it may be in what was loaded."""
        for flight in list(self._flying.values()):
            if known:
                self.end(flight, StoreAway())
            else:
                self.end(flight, None if flight.known else StoreUncertain())

    def _answer(self, flight: Flight, error: Exception | None) -> None:
        for room in flight.rooms:
            if self._rooms.get(room) is flight:
                del self._rooms[room]
        then, flight.then = flight.then, []
        for each in then:
            each()
        if flight.done.done():
            return
        if error is None:
            flight.done.set_result(None)
        else:
            flight.done.set_exception(error)


def rooms_of(commit: Commit) -> tuple[str, ...]:
    found = (write.after or write.before for write in commit.rooms)
    return tuple(room.id for room in found if room is not None)
