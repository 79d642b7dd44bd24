"""What several have said to each other over servers that die, and whether it has come. Pure.

Rules of this file:
1. A stream is what one says to one other, numbered from 1. A number that is not above the last one
   is doubled, or out of order: no death of a server excuses that.
2. What has not come is lost. It is no silent loss where somebody was told: the receiver, of a gap
   that begins right after the last that it got; the sender, of a gap that ends right with it; or
   the sender, by an error that names it.
3. The chat of a room has one order: an id is the same message to all, and rises by one; what is
   left out is lost as by rule 2.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Stream:
    sent: int = 0
    last: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)  # from, to
    refused: set[int] = field(default_factory=set)
    before: set[int] = field(default_factory=set)  # the last that came before the receiver's gaps
    until: set[int] = field(default_factory=set)  # the last that was said before the sender's gaps

    def come(self, number: int) -> bool:
        """False where it is out of order."""
        if number <= self.last:
            return False
        if number > self.last + 1:
            self.missing.append((self.last + 1, number - 1))
        self.last = number
        return True


class Ledger:
    """Who talks is a number."""

    def __init__(self) -> None:
        self.received = 0
        self.disordered = 0
        self.gaps = 0
        self._streams: defaultdict[tuple[int, int], _Stream] = defaultdict(_Stream)
        self._broken: dict[int, dict[tuple[int, int], int]] = {}
        self._unheard: dict[int, list[tuple[_Stream, int]]] = {}
        self._chats: dict[tuple[int, int], tuple[int, int]] = {}  # by room and id
        self._latest: dict[int, int] = {}  # by room
        self._heard: defaultdict[tuple[int, int], _Stream] = defaultdict(_Stream)  # room, client

    def send(self, sender: int, receiver: int) -> int:
        """The number of the next message."""
        stream = self._streams[sender, receiver]
        stream.sent += 1
        return stream.sent

    def refuse(self, sender: int, receiver: int, number: int) -> None:
        """The sender was told that this one does not arrive."""
        self._streams[sender, receiver].refused.add(number)

    def receive(self, sender: int, receiver: int, number: int) -> None:
        stream = self._streams[sender, receiver]
        self.received += 1
        if number > stream.sent or not stream.come(number):
            self.disordered += 1

    def receive_chat(self, room: int, at: int, sender: int, number: int, id: int) -> None:
        self.received += 1
        same = self._chats.setdefault((room, id), (sender, number)) == (sender, number)
        self._latest[room] = max(id, self._latest.get(room, 0))
        if not self._heard[room, at].come(id) or not same:
            self.disordered += 1

    def break_off(self, client: int, later: Iterable[tuple[int, int]]) -> None:
        """Its line is lost. `later`: whom it has told which number since then."""
        marks = {
            key: stream.sent if key[0] == client else stream.last
            for key, stream in self._streams.items()
            if client in key
        }
        for receiver, number in later:
            key = client, receiver
            marks[key] = min(marks[key], number - 1)
        self._broken[client] = marks
        self._unheard[client] = [(s, s.last) for (_, at), s in self._heard.items() if at == client]

    def tell_of_gap(self, client: int) -> None:
        """It is told that it has missed something, and that something it said may not have come."""
        self.gaps += 1
        for key, mark in self._broken.pop(client, {}).items():
            stream = self._streams[key]
            (stream.until if key[0] == client else stream.before).add(mark)
        for stream, mark in self._unheard.pop(client, ()):
            stream.before.add(mark)

    def lost(self) -> tuple[int, int]:
        """How many have not come by now: of which somebody was told, and of which nobody was."""
        told = silent = 0
        for (room, _), stream in self._heard.items():
            stream.sent = self._latest[room]
        for stream in (*self._streams.values(), *self._heard.values()):
            end = [(stream.last + 1, stream.sent)] if stream.sent > stream.last else []
            for first, last in (part for m in [*stream.missing, *end] for part in _but(m, stream)):
                if first - 1 in stream.before or last in stream.until:
                    told += last - first + 1
                else:
                    silent += last - first + 1
            told += len(stream.refused)
        return told, silent


def _but(missing: tuple[int, int], stream: _Stream) -> list[tuple[int, int]]:
    """What of it was not refused."""
    first, last = missing
    parts: list[tuple[int, int]] = []
    start = first
    for number in range(first, last + 2):
        if number == last + 1 or number in stream.refused:
            if start < number:
                parts.append((start, number - 1))
            start = number + 1
    return parts
