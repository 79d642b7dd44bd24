"""What a negotiation has done: each is carried out in its order, before the next step. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offer:
    """Make a new connection in place of any old one, and send its offer with this `callId`."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Apply the offer (`replace`: to a new connection) and send the answer."""

    sdp: str
    call_id: str | None
    replace: bool


@dataclass(frozen=True, slots=True)
class Accept:
    """Apply the answer to our offer."""

    sdp: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Make a new generation of ICE and send its offer, on this connection."""

    call_id: str | None


@dataclass(frozen=True, slots=True)
class AbandonRestart:
    """Forget the generation of the last `Restart`, which the other end does not take."""


@dataclass(frozen=True, slots=True)
class AnswerRestart:
    """Make a new generation of ICE, send the answer, and connect the generation."""

    sdp: str
    call_id: str | None


@dataclass(frozen=True, slots=True)
class AcceptRestart:
    """Connect our new generation of ICE with that of the answer."""

    sdp: str


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """A remote candidate (`RTCIceCandidateInit`); `candidate` "" is end-of-candidates."""

    candidate: Payload


@dataclass(frozen=True, slots=True)
class Send:
    type: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection."""


@dataclass(frozen=True, slots=True)
class DropReplaced:
    """Close those that this one has taken the place of."""


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the user: the peer `failed`, or has hung up (`closed`), for `reason`; or its path is
    lost (`disconnected`), or back (`connected`)."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Call `timer()` after so many seconds; None: not at all."""

    seconds: float | None


Effect = (
    Offer
    | Answer
    | Accept
    | Restart
    | AbandonRestart
    | AnswerRestart
    | AcceptRestart
    | AddCandidate
    | Send
    | Drop
    | DropReplaced
    | Report
    | SetTimer
)
