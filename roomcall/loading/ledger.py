"""What was sent to whom, and whether it has arrived: once, in order, and at nobody else. Pure.

Rules of this file:
1. A stream is what one client sends to one other by signals, or by chat to the room. Its messages
   are numbered from 1.
2. A number that comes again is doubled. One that is left out is missing until it comes, then it was
   out of order; what is missing at the end is lost.
3. Chat ids rise by one at every member, and stand for the same message at all of them.
4. What was on its way from or to a client that has failed is not counted as lost: its failure is.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple


class Stream(NamedTuple):
    kind: str  # signal, chat
    sender: int
    receiver: int


@dataclass(slots=True)
class _State:
    sent: int = 0
    last: int = 0
    missing: set[int] = field(default_factory=set)


class Ledger:
    """Clients are numbers, `rooms[n]` the room of client n."""

    def __init__(self, rooms: list[int]) -> None:
        self.sent = 0
        self.expected = 0
        self.received = 0
        self.doubled = 0
        self.misdelivered = 0
        self.disordered = 0
        self._rooms = rooms
        self._members: defaultdict[int, list[int]] = defaultdict(list)
        for client, room in enumerate(rooms):
            self._members[room].append(client)
        self._streams: defaultdict[Stream, _State] = defaultdict(_State)
        self._numbers: defaultdict[int, int] = defaultdict(int)  # of a sender's chat
        self._chat_ids: dict[int, int] = {}  # the latest that a client has seen
        self._chats: dict[tuple[int, int], tuple[int, int]] = {}

    def members(self, room: int) -> list[int]:
        return self._members[room]

    def send_signal(self, sender: int, receiver: int) -> int:
        """The number of the next signal."""
        return self._expect(Stream("signal", sender, receiver))

    def send_chat(self, sender: int, failed: set[int]) -> int:
        """The number of the next chat message, to all in the room that have not failed."""
        self.sent += 1
        self._numbers[sender] += 1
        for receiver in self._members[self._rooms[sender]]:
            if receiver not in failed:
                self._streams[Stream("chat", sender, receiver)].sent = self._numbers[sender]
                self.expected += 1
        return self._numbers[sender]

    def receive_signal(self, at: int, room: int, sender: int, receiver: int, number: int) -> None:
        """`at` got it in `room`; what it says of itself is where it was to go."""
        if receiver != at or room != self._rooms[at] or self._rooms[sender] != room:
            self.misdelivered += 1
        else:
            self._arrive(Stream("signal", sender, at), number)

    def receive_chat(self, at: int, room: int, sender: int, number: int, id: int) -> None:
        if room != self._rooms[at] or self._rooms[sender] != room:
            self.misdelivered += 1
            return
        before = self._chat_ids.get(at)
        if before is not None and id != before + 1:
            self.disordered += 1
        self._chat_ids[at] = id
        if self._chats.setdefault((room, id), (sender, number)) != (sender, number):
            self.disordered += 1
        self._arrive(Stream("chat", sender, at), number)

    def lost(self, failed: set[int]) -> int:
        """How many have not arrived by now."""
        return sum(
            len(state.missing) + state.sent - state.last
            for stream, state in self._streams.items()
            if stream.sender not in failed and stream.receiver not in failed
        )

    def _expect(self, stream: Stream) -> int:
        self.sent += 1
        self.expected += 1
        state = self._streams[stream]
        state.sent += 1
        return state.sent

    def _arrive(self, stream: Stream, number: int) -> None:
        self.received += 1
        state = self._streams[stream]
        if number == state.last + 1:
            state.last = number
        elif number in state.missing:
            state.missing.remove(number)
            self.disordered += 1
        elif number <= state.last:
            self.doubled += 1
        else:
            state.missing.update(range(state.last + 1, number))
            state.last = number
