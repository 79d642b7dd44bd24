"""Who offers, answers, waits and gives up, for one pair. Pure: signals in, effects out.

Rule 1.  To begin with, the one who joined later offers; where it has not within `OFFER_PATIENCE`,
         the other one does.
Rule 2.  Glare (both have offered): the side with the smaller id, compared bytewise, is polite. It
         drops its own offer and answers; the impolite side ignores the other's offer (W3C
         webrtc-pc, "perfect negotiation").
Rule 3.  `callId` names a connection: made by the offerer, copied into all signals about it. Signals
         of another one are dropped; absent means the current one.
Rule 4.  An offer with another DTLS fingerprint replaces the connection; else it goes to it. So does
         one with another transport: of new credentials for ICE, in a bundle that a new section
         leads. An answer with another fingerprint has our offer come anew.
Rule 5.  Candidates that come before a description are kept, `MAX_EARLY_CANDIDATES` of them. Those
         of an ignored offer, or of credentials that are not current, are dropped.
Rule 6.  Who gives up sends `hangup` with the reason `failed`, and is the one who offers again,
         later each time (`RETRY_DELAYS`). Where both gave up and old signals crossed, each may
         wait for the other: who heard that hangup offers after `RETRY_PATIENCE`.
Rule 7.  A connection that the other side closed may be a leave whose notice is still under way:
         it fails only after `CLOSE_PATIENCE`.
Rule 8.  A connection whose path is lost stays, and ICE is restarted on it: see `restarts.py`.

The caller carries out the effects in their order, then tells what came of it: `connected()`,
`closed_remotely()`, `failed()`, `path_lost()`, `path_back()`, `restarted()`. Of timers there is
one: a new `SetTimer` replaces the last.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from .effects import (
    Accept,
    AddCandidate,
    Answer,
    Drop,
    Effect,
    Offer,
    Payload,
    Report,
    Send,
    SetTimer,
)
from .restarts import Restarts
from .sdp import fingerprint, lead, mids, ufrags

OFFER_PATIENCE = 5.0
CONNECT_PATIENCE = 20.0
CLOSE_PATIENCE = 2.0
RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
RETRY_PATIENCE = 60.0
MAX_EARLY_CANDIDATES = 64


class Phase(Enum):
    WAITING = auto()  # for the other side's offer
    OFFERING = auto()  # our offer is out
    CONNECTING = auto()  # both descriptions are there
    CONNECTED = auto()
    CLOSING = auto()  # the other side closed it: a leave, or a loss
    RETRYING = auto()  # we gave up, and offer again later
    HUNG_UP = auto()  # the other side gave up, or has no media: it may offer again


@dataclass(slots=True)
class Negotiation:
    """The state of one pair. `offers_first`: we joined later. `call_id` makes fresh ids."""

    own_id: str
    peer_id: str
    offers_first: bool
    phase: Phase = Phase.WAITING
    call_id: str | None = None
    _fingerprint: str | None = None
    _ufrags: frozenset[str] = frozenset()
    _mids: frozenset[str | None] = frozenset()
    _ignored: set[str | None] = field(default_factory=set)
    _early: list[Payload] = field(default_factory=list)
    _failures: int = 0
    _restarts: Restarts = field(default_factory=Restarts)

    @property
    def polite(self) -> bool:
        return self.own_id.encode() < self.peer_id.encode()

    def start(self, new_call_id: str) -> list[Effect]:
        if self.offers_first:
            return self.offer(new_call_id)
        return [SetTimer(OFFER_PATIENCE)]

    def timer(self, new_call_id: str) -> list[Effect]:
        """The last `SetTimer` has run out."""
        match self.phase:
            case Phase.WAITING | Phase.RETRYING | Phase.HUNG_UP:
                return self.offer(new_call_id)
            case Phase.OFFERING:
                return self.failed("no answer to the offer")
            case Phase.CONNECTING:
                return self.failed("no media path was found in time")
            case Phase.CLOSING:
                return self.failed("the other side closed the connection")
            case Phase.CONNECTED:
                return self._restarts.timer(self.call_id)
        return []

    def signal(self, type: str, payload: Payload, new_call_id: str) -> list[Effect]:
        """A signal of the peer. What is malformed or out of place is dropped."""
        match type:
            case "offer":
                return self._on_offer(payload)
            case "answer":
                return self._on_answer(payload, new_call_id)
            case "ice-candidate":
                return self._on_candidate(payload)
            case "hangup":
                return self._on_hangup(payload)
            case "renegotiate" if self.phase is Phase.CONNECTED:
                return self.restart()
            case "renegotiate" if self.phase in (Phase.WAITING, Phase.RETRYING, Phase.HUNG_UP):
                return self.offer(new_call_id)
        return []

    def connected(self) -> list[Effect]:
        if self.phase not in (Phase.CONNECTING, Phase.OFFERING):
            return []
        self.phase = Phase.CONNECTED
        self._failures = 0
        return [SetTimer(None)]

    def path_lost(self) -> list[Effect]:
        """Nothing passes any more; the connection is there all the same."""
        if self.phase is not Phase.CONNECTED:
            return []
        return self._restarts.path_lost(self.call_id, polite=self.polite)

    def path_back(self) -> list[Effect]:
        """Packets pass again, on the old path or on a new one."""
        return self._restarts.path_back()

    def signaling_back(self, new_call_id: str | None = None) -> list[Effect]:
        """Signals had been held up, and are no more. With `new_call_id` some of them are lost for
        good: who is not connected begins anew."""
        if self.phase is Phase.CONNECTED:
            return self._restarts.signaling_back(self.call_id)
        if new_call_id is not None and self.phase in (Phase.OFFERING, Phase.CONNECTING):
            return self.offer(new_call_id)
        return []

    def reconnect(self, new_call_id: str) -> list[Effect]:
        """A new generation of ICE; where there is no connection, a new one."""
        return self.restart() if self.phase is Phase.CONNECTED else self.offer(new_call_id)

    def restart(self) -> list[Effect]:
        """A new generation of ICE, on a path that lives or is lost; nothing where there is none."""
        return self._restarts.want(self.call_id) if self.phase is Phase.CONNECTED else []

    def restarted(self, found: bool) -> list[Effect]:
        """The checks of the last restart have ended: with a pair, which is in use, or without."""
        return self._restarts.ended(found) if self.phase is Phase.CONNECTED else []

    def closed_remotely(self) -> list[Effect]:
        """The other side ended the connection in good order (DTLS close_notify)."""
        if self.phase is not Phase.CONNECTED:
            return []
        self.phase = Phase.CLOSING
        return [SetTimer(CLOSE_PATIENCE)]

    def failed(self, reason: str) -> list[Effect]:
        """No path, or no sense in what the other side sent: give up, and try again later."""
        if self.phase in (Phase.RETRYING, Phase.HUNG_UP):
            return []
        hangup = {"reason": "failed"} | self._call_id_field()
        self._forget(Phase.RETRYING)
        delay = RETRY_DELAYS[min(self._failures, len(RETRY_DELAYS) - 1)]
        self._failures += 1
        return [Drop(), Send("hangup", hangup), Report("failed", reason), SetTimer(delay)]

    def offer(self, call_id: str) -> list[Effect]:
        """A new connection in place of any old one: to begin with, or at the user's wish."""
        self._forget(Phase.OFFERING)
        self.call_id = call_id
        return [Offer(call_id), SetTimer(CONNECT_PATIENCE)]

    def _on_offer(self, payload: Payload) -> list[Effect]:
        sdp, call_id = payload.get("sdp"), _text(payload.get("callId"))
        if not isinstance(sdp, str):
            return []
        if self.phase is Phase.OFFERING and not self.polite:
            self._ignored.add(call_id)
            return []
        replace = (
            self.phase not in (Phase.CONNECTING, Phase.CONNECTED)
            or fingerprint(sdp) != self._fingerprint
            or (call_id is not None and call_id != self.call_id)
            or (self._is_restart(sdp) and not self._can_restart(sdp))
        )
        if self.phase is Phase.CONNECTED and not replace:
            return self._on_later_offer(sdp, call_id)
        if replace:
            early = [c for c in self._early if _text(c.get("callId")) in (None, call_id)]
            self._forget(Phase.CONNECTING)
            self._early = early
            self.call_id = call_id
        self._describe(sdp)
        effects: list[Effect] = [Answer(sdp, call_id, replace), SetTimer(CONNECT_PATIENCE)]
        return effects + self._release_early()

    def _is_restart(self, sdp: str) -> bool:
        return self._ufrags.isdisjoint(ufrags(sdp))

    def _can_restart(self, sdp: str) -> bool:
        """On the transport that is there (RFC 9143 section 7.1.2), once it is connected."""
        return self.phase is Phase.CONNECTED and lead(sdp) in self._mids

    def _on_later_offer(self, sdp: str, call_id: str | None) -> list[Effect]:
        if self._restarts.goes_first(polite=self.polite):
            return []
        if self._is_restart(sdp):
            effects = self._restarts.on_offer(sdp, call_id)
        else:
            before, after = self._restarts.give_way(self.call_id)
            effects = [*before, Answer(sdp, call_id, False), *after]
        self._describe(sdp)
        return effects + self._release_early()

    def _on_answer(self, payload: Payload, new_call_id: str) -> list[Effect]:
        sdp = payload.get("sdp")
        if self.phase is Phase.CONNECTED and self._restarts.awaits_answer:
            if not isinstance(sdp, str) or not self._is_current(payload):
                return []
            if fingerprint(sdp) != self._fingerprint:
                return self.offer(new_call_id)
            self._describe(sdp)
            return self._restarts.on_answer(sdp) + self._release_early()
        if self.phase is not Phase.OFFERING or not self._is_current(payload):
            return []
        if not isinstance(sdp, str):
            return self.failed("the answer has no SDP")
        self.phase = Phase.CONNECTING
        self._ignored.discard(None)  # what comes without a callId from now on is about this one
        self._describe(sdp)
        return [Accept(sdp), *self._release_early()]

    def _on_candidate(self, payload: Payload) -> list[Effect]:
        if _text(payload.get("callId")) in self._ignored or not isinstance(
            payload.get("candidate"), str
        ):
            return []
        if self.phase in (Phase.CONNECTING, Phase.CONNECTED):
            if self._applies(payload):
                return [AddCandidate(payload)]
            if not self._restarts.awaits_answer:
                return []  # else it may belong to the answer that is under way
        if len(self._early) < MAX_EARLY_CANDIDATES:
            self._early.append(payload)
        return []

    def _on_hangup(self, payload: Payload) -> list[Effect]:
        if not self._is_current(payload) or self.phase is Phase.HUNG_UP:
            return []
        reason = _text(payload.get("reason")) or "hung up"
        if self.phase is Phase.RETRYING:
            # Both gave up at once: both would wait for the other if this counted.
            return []
        self._forget(Phase.HUNG_UP)
        if reason != "failed":
            return [Drop(), Report("closed", reason), SetTimer(None)]
        text = "the other side found no media path"
        return [Drop(), Report("failed", text), SetTimer(RETRY_PATIENCE)]

    def _describe(self, sdp: str) -> None:
        self._fingerprint = fingerprint(sdp)
        self._ufrags = ufrags(sdp)
        self._mids = mids(sdp)

    def _release_early(self) -> list[Effect]:
        early, self._early = self._early, []
        return [AddCandidate(payload) for payload in early if self._applies(payload)]

    def _applies(self, payload: Payload) -> bool:
        ufrag = _text(payload.get("usernameFragment"))
        return self._is_current(payload) and (ufrag is None or ufrag in self._ufrags)

    def _is_current(self, payload: Payload) -> bool:
        call_id = _text(payload.get("callId"))
        return call_id is None or self.call_id is None or call_id == self.call_id

    def _call_id_field(self) -> dict[str, str]:
        return {} if self.call_id is None else {"callId": self.call_id}

    def _forget(self, phase: Phase) -> None:
        """Nothing of the connection so far holds any more."""
        self.phase = phase
        self.call_id = None
        self._fingerprint = None
        self._ufrags = frozenset()
        self._mids = frozenset()
        self._ignored = set()
        self._early = []
        self._restarts = Restarts()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
