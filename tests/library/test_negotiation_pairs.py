"""Two negotiations with a bad line between them end agreed on one call, whatever happens."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roomcall.peer import negotiation as n
from roomcall.peer.negotiation import Negotiation, Phase

ENOUGH = 600.0  # seconds, of the pair's own time


@dataclass
class Path:
    """A connection of one side. `remote`: the path of the other side whose description it has."""

    number: int
    remote: int | None = None
    answers: int | None = None  # the path whose offer it was made for


@dataclass
class Side:
    """Carries out effects as a peer does, with connections that are only numbers."""

    negotiation: Negotiation
    numbers: Iterator[int]
    out: deque[tuple[str, dict[str, Any]]] = field(default_factory=deque)
    path: Path | None = None
    due: float | None = None

    def carry_out(self, effects: list[n.Effect], now: float) -> None:
        for effect in effects:
            match effect:
                case n.Offer(call_id):
                    self.path = Path(next(self.numbers))
                    self._describe("offer", call_id, None)
                case n.Answer(sdp, call_id, replace):
                    assert replace or self.path is not None
                    theirs = _path_in(sdp)
                    if replace:
                        self.path = Path(next(self.numbers), answers=theirs)
                    assert self.path is not None
                    self.path.remote = theirs
                    self._describe("answer", call_id, theirs)
                case n.Accept(sdp):
                    assert self.path is not None
                    assert _answered_in(sdp) == self.path.number, "another's answer was taken"
                    self.path.remote = _path_in(sdp)
                case n.AddCandidate(candidate):
                    assert self.path is not None
                    assert candidate["path"] == self.path.remote, "another's candidate was taken"
                case n.Send(type, payload):
                    self.out.append((type, dict(payload)))
                case n.Drop():
                    self.path = None
                case n.Report():
                    pass
                case n.SetTimer(seconds):
                    self.due = None if seconds is None else now + seconds

    def _describe(self, type: str, call_id: str | None, answered: int | None) -> None:
        assert self.path is not None
        number = self.path.number
        lines = [f"a=fingerprint:sha-256 {number}", f"a=ice-ufrag:u{number}", f"s={answered}"]
        self.out.append((type, {"sdp": "\r\n".join(lines), "callId": call_id}))
        for text in ("1 1 udp", ""):
            candidate = {"candidate": text, "usernameFragment": f"u{number}", "callId": call_id}
            self.out.append(("ice-candidate", candidate | {"path": number}))


def _path_in(sdp: str) -> int:
    return int(sdp.splitlines()[0].split()[-1])


def _answered_in(sdp: str) -> int:
    return int(sdp.splitlines()[2].removeprefix("s="))


class Pair:
    def __init__(self, offerer: int, connect_first: int) -> None:
        numbers = count(1)
        self._ids = (f"call {number}" for number in count(1))
        self.now = 0.0
        self._connect_first = connect_first
        self.sides = [
            Side(Negotiation(own, peer, offers_first=offerer == index), numbers)
            for index, (own, peer) in enumerate((("a", "b"), ("b", "a")))
        ]
        for side in self.sides:
            self._do(side, side.negotiation.start(next(self._ids)))

    def _do(self, side: Side, effects: list[n.Effect]) -> None:
        side.carry_out(effects, self.now)

    def act(self, action: str, index: int) -> None:
        side, other = self.sides[index], self.sides[1 - index]
        match action:
            case "deliver" if other.out:
                type, payload = other.out.popleft()
                self._do(side, side.negotiation.signal(type, payload, next(self._ids)))
            case "lose" if other.out:
                other.out.popleft()
            case "offer":
                self._do(side, side.negotiation.offer(next(self._ids)))
            case "timer" if not (side.out or other.out):  # signals outrun patience
                self._run_out(side)
            case "late":  # but not always
                self._run_out(side)
            case "fail" if side.path is not None and side.path.remote is not None:
                self._do(side, side.negotiation.failed("no path"))
            case "connect" if self.joined:
                self._do(side, side.negotiation.connected())

    def _run_out(self, side: Side) -> None:
        if side.due is not None:
            self.now = max(self.now, side.due)
            side.due = None
            self._do(side, side.negotiation.timer(next(self._ids)))

    @property
    def joined(self) -> bool:
        """Whether each has the other's description, so that media would flow."""
        a, b = (side.path for side in self.sides)
        return a is not None and b is not None and (a.remote, b.remote) == (b.number, a.number)

    @property
    def agreed(self) -> bool:
        a, b = (side.negotiation for side in self.sides)
        return self.joined and a.phase is b.phase is Phase.CONNECTED and a.call_id == b.call_id

    def settle(self) -> None:
        """From now on nothing is lost, and what can connect does."""
        while not (self.agreed and not any(side.out for side in self.sides)):
            assert self.now < ENOUGH, f"no agreement: {self.sides}"
            if any(side.out for side in self.sides):
                self.act("deliver", 0 if self.sides[1].out else 1)
            elif self.joined:
                self.act("connect", self._connect_first)
                self.act("connect", 1 - self._connect_first)
            else:
                for side in self.sides:
                    if side.negotiation.phase is Phase.CONNECTED:  # with a path that has gone
                        self._do(side, side.negotiation.closed_remotely())
                waiting = [side for side in self.sides if side.due is not None]
                assert waiting, f"each waits for the other: {self.sides}"
                self._run_out(min(waiting, key=lambda side: side.due or 0.0))


ACTIONS = st.tuples(
    st.sampled_from(["deliver"] * 4 + ["lose", "offer", "timer", "late", "fail", "connect"]),
    st.integers(0, 1),
)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 1), st.integers(0, 1), st.lists(ACTIONS, max_size=40))
@example(0, 0, [("deliver", 1), ("deliver", 0), ("fail", 0), ("fail", 1)])  # both give up at once
@example(0, 0, [("offer", 1), ("offer", 0), ("lose", 0), ("deliver", 1)])
@example(0, 0, [("late", 0), ("late", 0), ("late", 1), ("deliver", 1), ("deliver", 0)])
@example(0, 0, [("lose", 1), ("offer", 0), ("deliver", 1), ("deliver", 1), ("offer", 0)])
def test_both_end_agreed_on_one_call(
    offerer: int, connect_first: int, actions: list[tuple[str, int]]
) -> None:
    pair = Pair(offerer, connect_first)
    for action, index in actions:
        pair.act(action, index)
    pair.settle()
    assert pair.agreed


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1), max_size=12), st.integers(0, 1))
def test_when_both_offer_at_once_the_impolite_sides_offer_stands(
    order: list[int], last: int
) -> None:
    """Whatever way their messages cross."""
    pair = Pair(0, 0)
    pair.sides[0].out.clear()
    pair.act("offer", 0)
    pair.act("offer", 1)
    impolite = pair.sides[1]
    wanted = impolite.negotiation.call_id
    for index in [*order, *[last, 1 - last] * 12]:
        pair.act("deliver", index)
    assert pair.joined
    assert {side.negotiation.call_id for side in pair.sides} == {wanted}


def test_a_call_without_mishap_needs_one_offer_and_no_time() -> None:
    pair = Pair(1, 0)
    pair.settle()
    assert pair.now == 0.0
    assert {side.negotiation.call_id for side in pair.sides} == {"call 2"}
