"""Restarts of ICE: who begins, how often, and that two ends agree on a path whatever is lost."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from roomcall.peer import effects as e
from roomcall.peer.effects import (
    AbandonRestart,
    AcceptRestart,
    AnswerRestart,
    Report,
    Restart,
    SetTimer,
)
from roomcall.peer.negotiation import Negotiation, Phase
from roomcall.peer.restarts import (
    ANSWER_PATIENCE,
    CHECK_PATIENCE,
    INTERVAL,
    LATER_INTERVAL,
    MANY,
    Restarts,
)

ENOUGH = 300.0  # seconds, of the pair's own time


def test_the_impolite_side_begins_at_once_and_the_polite_one_later() -> None:
    impolite, polite = Restarts(), Restarts()
    assert impolite.path_lost("x", polite=False) == [
        Report("disconnected"),
        Restart("x"),
        SetTimer(ANSWER_PATIENCE),
    ]
    assert polite.path_lost("x", polite=True) == [Report("disconnected"), SetTimer(INTERVAL)]
    assert polite.timer("x") == [Restart("x"), SetTimer(ANSWER_PATIENCE)]
    assert polite.path_lost("x", polite=True) == []  # it is lost already


def test_a_restart_that_finds_a_path_ends_the_loss() -> None:
    restarts = Restarts()
    restarts.path_lost("x", polite=False)
    assert restarts.on_answer("theirs") == [AcceptRestart("theirs"), SetTimer(CHECK_PATIENCE)]
    assert restarts.ended(True) == [Report("connected"), SetTimer(None)]
    assert restarts.ended(True) == []
    assert not restarts.awaits_answer


def test_it_is_tried_each_second_and_later_every_ten() -> None:
    restarts = Restarts()
    effects = restarts.path_lost("x", polite=False)
    for number in range(MANY + 5):
        assert Restart("x") in effects
        restarts.on_answer("theirs")
        pause = INTERVAL if number + 1 < MANY else LATER_INTERVAL
        assert restarts.ended(False) == [SetTimer(pause)]
        effects = restarts.timer("x")


def test_a_path_that_comes_back_by_itself_ends_the_loss_and_forgets_the_restart() -> None:
    restarts = Restarts()
    restarts.path_lost("x", polite=False)
    assert restarts.path_back() == [Report("connected"), SetTimer(ANSWER_PATIENCE)]
    assert restarts.timer("x") == [AbandonRestart()]
    assert not restarts.awaits_answer
    assert restarts.path_back() == restarts.timer("x") == []


def test_of_two_offers_the_impolite_sides_stands() -> None:
    polite, impolite = Restarts(), Restarts()
    for each in (polite, impolite):
        each.begin("x")
    assert impolite.goes_first(polite=False) and not polite.goes_first(polite=True)
    assert polite.on_offer("o", "x") == [
        AnswerRestart("o", "x"),
        SetTimer(CHECK_PATIENCE),
    ]
    assert not polite.awaits_answer


def test_an_offer_that_is_no_restart_has_ours_come_again() -> None:
    restarts = Restarts()
    assert restarts.give_way("x") == ([], [])
    restarts.begin("x")
    before, after = restarts.give_way("x")
    assert (before, after) == ([AbandonRestart()], [Restart("x"), SetTimer(ANSWER_PATIENCE)])


def test_a_wish_during_a_restart_comes_after_it() -> None:
    restarts = Restarts()
    restarts.want("x")
    assert restarts.want("x") == []
    restarts.on_answer("theirs")
    assert restarts.ended(True) == [SetTimer(INTERVAL)]
    assert restarts.timer("x")[0] == Restart("x")
    restarts.on_answer("theirs")
    assert restarts.ended(True) == [SetTimer(None)]


def test_of_several_answers_the_last_counts() -> None:
    restarts = Restarts()
    restarts.begin("x")
    restarts.on_answer("first")
    assert restarts.awaits_answer
    assert restarts.on_answer("second")[0] == AcceptRestart("second")


def test_a_restart_that_is_wished_for_is_tried_until_it_finds_a_path() -> None:
    restarts = Restarts()
    assert restarts.want("x") == [Restart("x"), SetTimer(ANSWER_PATIENCE)]
    assert restarts.timer("x") == [Restart("x"), SetTimer(ANSWER_PATIENCE)]  # no answer
    restarts.on_answer("theirs")
    assert restarts.ended(False) == [SetTimer(INTERVAL)]
    assert restarts.timer("x")[0] == Restart("x")
    restarts.on_answer("theirs")
    assert restarts.ended(True) == [SetTimer(None)]


def test_signals_that_were_held_up_are_renewed_where_the_path_is_lost() -> None:
    negotiation = connected("a", "b")
    assert negotiation.signaling_back() == []
    negotiation.path_lost()
    assert negotiation.signaling_back() == [Restart("call"), SetTimer(ANSWER_PATIENCE)]


def test_renegotiate_asks_for_a_restart() -> None:
    negotiation = connected("b", "a")
    assert negotiation.signal("renegotiate", {"iceRestart": True}, "new") == [
        Restart("call"),
        SetTimer(ANSWER_PATIENCE),
    ]


def test_where_there_is_no_connection_nothing_is_restarted() -> None:
    negotiation = Negotiation("a", "b", offers_first=False)
    assert negotiation.path_lost() == negotiation.restarted(True) == []


def connected(own: str, peer: str) -> Negotiation:
    negotiation = Negotiation(own, peer, offers_first=True)
    negotiation.start("call")
    negotiation.signal("answer", description("first", 0), "unused")
    negotiation.connected()
    return negotiation


def description(who: str, generation: int) -> dict[str, Any]:
    return {"sdp": f"a=fingerprint:sha-256 {who}\r\na=ice-ufrag:u{generation}\r\n"}


def generation_in(sdp: str) -> int:
    return int(sdp.rpartition(":u")[2])


@dataclass
class Side:
    """Carries out effects as a peer does; generations of ICE are only numbers."""

    negotiation: Negotiation
    numbers: Iterator[int]
    out: deque[tuple[str, dict[str, Any]]] = field(default_factory=deque)
    newest: int = 0
    remote: int = 0
    due: float | None = None
    reports: list[str] = field(default_factory=list)

    def carry_out(self, effects: list[e.Effect], now: float) -> None:
        for effect in effects:
            match effect:
                case Restart():
                    self._begin("offer")
                case AnswerRestart(sdp):
                    self._begin("answer")
                    self.remote = generation_in(sdp)
                case AbandonRestart():
                    pass
                case AcceptRestart(sdp):
                    self.remote = generation_in(sdp)
                case Report(state):
                    self.reports.append(state)
                case SetTimer(seconds):
                    self.due = None if seconds is None else now + seconds
                case other:
                    raise AssertionError(f"the connection does not stay: {other}")

    def _begin(self, type: str) -> None:
        self.newest, self.remote = next(self.numbers), -1
        self.out.append((type, description("first", self.newest) | {"callId": "call"}))


class Pair:
    def __init__(self) -> None:
        numbers = count(1)
        self.now = 0.0
        self.sides = [Side(connected(own, peer), numbers) for own, peer in ("ab", "ba")]

    def act(self, action: str, index: int) -> None:
        side, other = self.sides[index], self.sides[1 - index]
        negotiation = side.negotiation
        match action:
            case "deliver" if other.out:
                effects = negotiation.signal(*other.out.popleft(), "unused")
            case "lose" if other.out:
                other.out.popleft()
                return
            case "path lost":
                effects = negotiation.path_lost()
            case "path back":
                effects = negotiation.path_back()
            case "signaling back":
                effects = negotiation.signaling_back()
            case "restart":
                effects = negotiation.reconnect("unused")
            case "not found":
                effects = negotiation.restarted(False)
            case "found" if self.joined:
                effects = negotiation.restarted(True)
            case "timer" if side.due is not None:
                self.now, side.due = max(self.now, side.due), None
                effects = negotiation.timer("unused")
            case _:
                return
        side.carry_out(effects, self.now)

    @property
    def joined(self) -> bool:
        a, b = self.sides
        return (a.newest, b.newest) == (b.remote, a.remote)

    def settle(self) -> None:
        """From now on nothing is lost, and what can connect does."""
        while any(side.out for side in self.sides) or any(
            side.reports and side.reports[-1] == "disconnected" for side in self.sides
        ):
            assert self.now < ENOUGH, f"no path: {self.sides}"
            if any(side.out for side in self.sides):
                self.act("deliver", 0 if self.sides[1].out else 1)
            elif self.joined:
                for index in (0, 1):
                    self.act("found", index)
                    if self.sides[index].reports[-1:] == ["disconnected"]:
                        self.act("timer", index)
            else:
                waiting = [i for i in (0, 1) if self.sides[i].due is not None]
                assert waiting, f"nobody looks for a path: {self.sides}"
                self.act("timer", min(waiting, key=lambda i: self.sides[i].due or 0.0))


ACTIONS = st.tuples(
    st.sampled_from(
        ["deliver"] * 4
        + ["lose", "path lost", "path lost", "path back", "signaling back", "restart", "timer"]
        + ["found", "not found"]
    ),
    st.integers(0, 1),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_a_path_is_found_in_the_end_and_the_connection_stays(
    actions: list[tuple[str, int]],
) -> None:
    pair = Pair()
    for action, index in actions:
        pair.act(action, index)
    for index in (0, 1):
        pair.act("path lost", index)
    pair.settle()
    assert all(side.negotiation.phase is Phase.CONNECTED for side in pair.sides)
    for side in pair.sides:  # what is told alternates
        assert all(a != b for a, b in zip(side.reports, side.reports[1:], strict=False))
