"""Where a call went wrong: its steps in order, and the first that failed, for each peer and pair.
Pure.

    source → server → join → signaling → ICE → DTLS → first frame → flow → picture → sound → leave

Rule 1. Of a pair only the first failure is told: the later ones are its consequences.
Rule 2. A failure names who, which step, what was seen, and what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .runs import Run

STILL = 2.0  # seconds: what has not moved for so long at the end does not move

_ADVICE = {
    "source": "give another source",
    "server": "see that it runs, and that its address is right",
    "join": "see what the room asks for",
    "signaling": "see that the other side is there and answers offers",
    "ICE": "see that UDP passes between the two, or name a TURN server with --ice-server",
    "DTLS": "see that nothing between the two changes UDP packets",
    "first frame": "see that the sender sends, and in a codec of both",
    "flow": "see the sender's load and the network between the two",
    "picture": "look at what the sender films",
    "sound": "listen to what the sender records",
    "leave": "see the log with -vv",
}
_STEP_OF_CODE = {2: "source", 3: "server", 4: "join"}


@dataclass(frozen=True, slots=True)
class Failure:
    """`sender` and `receiver` are names; a failure of one peer alone has no receiver."""

    step: str
    sender: str
    receiver: str | None
    cause: str
    # Whether a machine that is too slow could be the reason.
    by_load: bool = False

    def __str__(self) -> str:
        who = f"{self.sender} → {self.receiver}" if self.receiver else self.sender
        advice = "" if " — " in self.cause else f" — {_ADVICE[self.step]}"
        return f"{who}: {self.step}: {self.cause}{advice}"


def failure_of_peer(run: Run) -> Failure | None:
    """What kept one peer of ours from taking part, or from leaving in good order."""
    if run.code in (0, None, 5):
        return None
    assert run.code is not None
    step = _STEP_OF_CODE.get(run.code, "leave" if run.of("joined") else "join")
    cause = run.error.removeprefix("Error: ") or f"it ended with {run.code}"
    if run.of("left") and run.code == 3:
        cause = f"{cause}, in the middle of the call"
    return Failure(step, run.name, None, cause)


def failure_of_pair(
    receiver: Run, sender: str, name: str, sends: Sequence[str], *, media: bool = True
) -> Failure | None:
    """The first step that failed on the way from the member `sender` to `receiver`. `sends`: the
    kinds that are to come, `media`: whether any is to be looked at."""
    for step, cause, by_load in _steps(receiver, sender, sends if media else ()):
        if cause is not None:
            return Failure(step, name, receiver.name, cause, by_load)
    return None


def _steps(
    receiver: Run, sender: str, sends: Sequence[str]
) -> Iterator[tuple[str, str | None, bool]]:
    yield "signaling", _unknown(receiver, sender), False
    if not receiver.of("peer-connected", peer=sender):
        yield _not_connected(receiver, sender)
    for kind in sends:
        yield "first frame", _no_first_frame(receiver, sender, kind), True
    for kind in sends:
        yield "flow", _stands_still(receiver, sender, kind), True
    content = _content(receiver, sender)
    if "video" in sends:
        yield "picture", "it is black" if content.get("black") else None, False
        yield "picture", "it does not move" if content.get("frozen") else None, False
    if "audio" in sends:
        yield "sound", "it is silent" if content.get("silent") else None, False


def _unknown(receiver: Run, sender: str) -> str | None:
    known = receiver.of("member-joined", peer=sender)
    return None if known else "they do not know each other"


def _not_connected(receiver: Run, sender: str) -> tuple[str, str, bool]:
    failed = receiver.of("peer-failed", peer=sender)
    if not failed:
        return "signaling", "no connection was made, and no failure told", True
    reason = failed[-1]["reason"]
    if "DTLS" in reason:
        return "DTLS", reason, False
    if "answer" in reason or "description" in reason:
        return "signaling", reason, False
    return "ICE", reason, False


def _no_first_frame(receiver: Run, sender: str, kind: str) -> str | None:
    if receiver.of("first-frame", peer=sender, kind=kind):
        return None
    came = _last_inbound(receiver, sender, kind).get("packetsReceived", 0)
    what = "picture" if kind == "video" else "sound"
    return f"no {what}, though {came} packets came" if came else f"nothing of its {what} came"


def _stands_still(receiver: Run, sender: str, kind: str) -> str | None:
    stats = receiver.of("stats")
    recent = [e for e in stats if e["t"] >= stats[-1]["t"] - STILL] if stats else []
    frames = [
        e["peers"].get(sender, {}).get(kind, {}).get("inbound", {}).get("framesReceived")
        for e in recent
    ]
    counted = [count for count in frames if count is not None]
    if len(counted) >= 2 and counted[0] == counted[-1]:
        what = "picture" if kind == "video" else "sound"
        return f"its {what} has stopped {STILL:g} s before the end"
    return None


def _content(receiver: Run, sender: str) -> Mapping[str, Any]:
    stats = receiver.stats_of(sender)
    content: Mapping[str, Any] = stats[-1].get("content", {}) if stats else {}
    return content


def _last_inbound(receiver: Run, sender: str, kind: str) -> Mapping[str, Any]:
    stats = receiver.stats_of(sender)
    inbound: Mapping[str, Any] = stats[-1].get(kind, {}).get("inbound", {}) if stats else {}
    return inbound
