"""Our negotiation beside W3C "perfect negotiation": offers of either side at any time, in order."""

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roomcall.peer import effects as e
from roomcall.peer.negotiation import Negotiation, Phase
from roomcall.peer.restarts import Stage

ROUNDS = 100


def description(who: str, ufrag: str, mids: str = "0") -> dict[str, Any]:
    lines = [f"a=group:BUNDLE {mids}", f"a=fingerprint:sha-256 {who}", f"a=ice-ufrag:{ufrag}"]
    lines += [f"a=mid:{mid}" for mid in mids.split()]
    return {"sdp": "\r\n".join(lines), "callId": "call"}


def ufrag_in(payload: dict[str, Any] | str) -> str:
    sdp = payload if isinstance(payload, str) else payload["sdp"]
    return str(sdp.partition("a=ice-ufrag:")[2].split()[0])


@dataclass
class Page:
    """What a browser does. See webrtc-pc section 10.7; `ufrag` and `theirs` are what is agreed."""

    polite: bool
    numbers: Any
    out: deque[tuple[str, dict[str, Any]]] = field(default_factory=deque)
    ufrag: str = "page0"
    theirs: str = "ours0"
    offered: str | None = None
    needed: set[str] = field(default_factory=set)

    def want(self, what: str) -> None:
        self.needed.add(what)
        self.offer()

    def offer(self) -> None:
        if self.needed and self.offered is None:
            self.offered = self._ufrag("restart" in self.needed)
            self.out.append(("offer", description("page", self.offered)))

    def _ufrag(self, fresh: bool) -> str:
        return f"page{next(self.numbers)}" if fresh else self.ufrag

    def take(self, type: str, payload: dict[str, Any]) -> None:
        if type == "offer":
            if self.offered is not None and not self.polite:
                return
            self.offered = None  # rolled back
            fresh = ufrag_in(payload) != self.theirs
            self.ufrag, self.theirs = self._ufrag(fresh), ufrag_in(payload)
            if fresh:
                self.needed.discard("restart")
            self.out.append(("answer", description("page", self.ufrag)))
        elif type == "answer":
            assert self.offered is not None, "an answer to nothing"
            was_restart = self.offered != self.ufrag
            is_fresh = ufrag_in(payload) != self.theirs
            assert is_fresh == was_restart, "credentials change with a restart, and only then"
            self.ufrag, self.theirs, self.offered = self.offered, ufrag_in(payload), None
            self.needed.clear()
        self.offer()


@dataclass
class Ours:
    """Carries out effects as a peer does; generations of ICE are numbers."""

    negotiation: Negotiation
    numbers: Any
    out: deque[tuple[str, dict[str, Any]]] = field(default_factory=deque)
    active: str = "ours0"
    newest: str = "ours0"
    remote: str = "page0"
    due: bool = False

    def carry_out(self, effects: list[e.Effect]) -> None:
        for effect in effects:
            match effect:
                case e.Restart():
                    self._begin("offer")
                case e.AbandonRestart():
                    self.newest = self.active
                case e.AnswerRestart(sdp):
                    self._begin("answer")
                    self._connect(sdp)
                case e.AcceptRestart(sdp):
                    self._connect(sdp)
                case e.Answer(_, _, replace):
                    assert not replace, "the connection does not stay"
                    self.out.append(("answer", description("us", self.newest)))
                case e.SetTimer(seconds):
                    self.due = seconds is not None
                case other:
                    raise AssertionError(f"nothing of the kind: {other}")

    def _begin(self, type: str) -> None:
        self.newest = f"ours{next(self.numbers)}"
        self.out.append((type, description("us", self.newest)))

    def _connect(self, theirs: str) -> None:
        self.remote = ufrag_in(theirs)

    def find(self) -> None:
        """The checks of the newest generation have found a path."""
        self.active = self.newest
        self.carry_out(self.negotiation.restarted(True))


class Pair:
    def __init__(self, polite: bool) -> None:
        numbers = count(1)
        own, peer = ("a", "b") if polite else ("b", "a")
        negotiation = Negotiation(own, peer, offers_first=True)
        negotiation.start("call")
        negotiation.signal("answer", description("page", "page0"), "unused")
        negotiation.connected()
        self.ours = Ours(negotiation, numbers)
        self.page = Page(not polite, numbers)

    def act(self, action: str) -> None:
        ours, page = self.ours, self.page
        match action:
            case "to the page" if ours.out:
                page.take(*ours.out.popleft())
            case "to us" if page.out:
                ours.carry_out(ours.negotiation.signal(*page.out.popleft(), "unused"))
            case "found" if (ours.newest, ours.remote) == (page.theirs, page.ufrag):
                ours.find()
            case "timer" if ours.due and self.is_still:
                ours.due = False
                ours.carry_out(ours.negotiation.timer("unused"))
            case "we restart":
                ours.carry_out(ours.negotiation.reconnect("unused"))
            case "page asks":
                page.out.append(("renegotiate", {"iceRestart": True}))
            case "page restarts":
                page.want("restart")
            case "page negotiates":
                page.want("tracks")

    @property
    def is_still(self) -> bool:
        """Nothing is on its way, and no checks go on: these are not as slow as timers."""
        checking = self.ours.negotiation._restarts.stage is Stage.CHECKING
        return not (self.ours.out or self.page.out or checking)


ACTIONS = st.sampled_from(
    ["to the page", "to us"] * 4
    + ["found", "timer", "we restart", "page asks", "page restarts", "page negotiates"]
)


# Our restart crosses one of the page, which then adds a track before a path is found.
CROSSING = ["we restart", "page restarts", "to us", "to the page", "to the page"]


@example(True, [*CROSSING, "page negotiates", "to us", "to the page"])
@settings(max_examples=500, deadline=None)
@given(st.booleans(), st.lists(ACTIONS, max_size=40))
def test_both_agree_in_the_end_whoever_offers(polite: bool, actions: list[str]) -> None:
    pair = Pair(polite)
    for action in actions:
        pair.act(action)
    for _ in range(ROUNDS):
        for action in ("to the page", "to us", "found", "timer"):
            pair.act(action)
    ours, page = pair.ours, pair.page
    assert not ours.out and not page.out and page.offered is None and not page.needed
    assert ours.negotiation.phase is Phase.CONNECTED
    assert not ours.negotiation._restarts.awaits_answer
    assert (ours.remote, ours.active) == (page.ufrag, page.theirs)
