"""What comes to this node by its stream, applied in its order: no I/O, no waiting."""

from collections.abc import Callable, Sequence

import msgspec

from ...logs import get_logger
from ...rooms.outcome import Effect, Send
from ..base import Listeners
from . import wire
from .asking import Asking
from .flights import Flights
from .replica import Replica
from .wire import Committed, Posted, Question, Snapshot, Told

log = get_logger("store")


class Gap(Exception):
    """Something is missing in the stream, or cannot be read: the records are to be loaded."""


class Inbox:
    """`node` says which one this is."""

    def __init__(
        self, replica: Replica, flights: Flights, asking: Asking, node: Callable[[], str]
    ) -> None:
        self._replica = replica
        self._flights = flights
        self._asking = asking
        self._node = node
        self._later: list[tuple[int, Callable[[], None]]] = []
        self.listeners = Listeners()

    def take(self, entries: Sequence[tuple[bytes, Sequence[bytes]]]) -> None:
        """Raises `Gap`; what is before that is applied."""
        for id, fields in entries:
            try:
                entry = wire.entry(id, fields)
                if entry.number != self._replica.position + 1:
                    raise Gap(f"entry {entry.number} after {self._replica.position}")
                if isinstance(entry, Committed):
                    self._commit(entry)
                else:
                    self._post(entry)
            except (ValueError, LookupError, msgspec.DecodeError) as error:
                raise Gap(f"an entry cannot be read: {error}") from error
        if self._later:
            self._look()

    def load(self, snapshot: Snapshot) -> None:
        """Begin anew from there."""
        changed = self._replica.load(snapshot)
        self.listeners.changed(changed.rooms, changed.sessions, False)
        self._look()

    def after(self, number: int, then: Callable[[], None]) -> None:
        """Call this when the entry of this number has been applied; at once where it has."""
        self._later.append((number, then))
        self._look()

    def forget(self) -> None:
        """Numbers begin anew: do what waits for any."""
        later, self._later = self._later, []
        for _, then in later:
            then()

    def tell(self, effects: Sequence[Effect]) -> None:
        """To the clients that are here."""
        told = [effect for effect in effects if isinstance(effect, Send)]
        if told:
            self.listeners.deliver(told)

    def _look(self) -> None:
        due = [then for number, then in self._later if number <= self._replica.position]
        self._later = [each for each in self._later if each[0] > self._replica.position]
        for then in due:
            then()

    def _commit(self, entry: Committed) -> None:
        mine = entry.meta.node == self._node()
        flight = self._flights.get(entry.meta.id) if mine else None
        commit = self._replica.seen(entry) if flight is None else flight.commit
        self._replica.apply(commit, entry.base)
        self._replica.position = entry.number
        if commit.rooms or commit.sessions:
            self.listeners.changed(commit.rooms, commit.sessions, mine)
        if flight is None:
            self._tell_those_here(entry.meta.told)
        else:
            self.tell(commit.effects)
            self._flights.end(flight)

    def _post(self, entry: Posted) -> None:
        self._replica.position = entry.number
        told = []
        for item in entry.items:
            if isinstance(item, Told):
                told.append(item)
            elif isinstance(item, Question):
                self._asking.asked(entry.node, item)
            else:
                self._asking.answered(item)
        if told:
            self.listeners.posted(wire.sends(told))

    def _tell_those_here(self, told: Sequence[Told]) -> None:
        """Most of what others do is for nobody here: then it is not read."""
        here, node_of = self._node(), self._replica.node_of
        sends = wire.sends(each for each in told if any(node_of(id) == here for id in each.to))
        if sends:
            self.listeners.deliver(sends)
