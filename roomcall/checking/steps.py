"""Where a call went wrong: its steps in order, and the first that failed, for each peer and pair.
Pure.

    source → server → join → signaling → ICE → DTLS → first frame → flow → picture → sound → latency
    → sync → leave

Rule 1. Of a pair only the first failure is told: the later ones are its consequences. That two
        members have no connection is told once.
Rule 2. A failure names who, which step, what was seen, and what to do.
Rule 3. Latency and sync fail where something is expected of them. Whatever is expected belongs to
        one of the steps.
Rule 4. What has not come *yet* is `pending`: where the call was broken off that is no failure.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .runs import KINDS, Member, Run, inbound

STILL = 2.0  # seconds: what has not moved for so long at the end does not move

STEPS = {
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
    "latency": "see the network's delay, the way over relays, and the load of both",
    "sync": "see the sender's time stamps of picture and sound",
    "leave": "see the log with -vv",
}
STEP_OF_METRIC = {
    "connected": "ICE",
    "setup": "ICE",
    "firstFrame": "first frame",
    "framesPerSecond": "flow",
    "loss": "flow",
    "freezes": "flow",
    "latency": "latency",
    "avOffset": "sync",
    "roundTripTime": "latency",
}
_CODES = {"source": 2, "server": 3, "join": 4}
_OF_CODE = {code: step for step, code in _CODES.items()}
_OF_REASON = {"server-lost": "server", "source-ended": "source"}
_WORD = {"video": "picture", "audio": "sound"}


@dataclass(frozen=True, slots=True)
class Failure:
    """`who` is a peer, or the sender of a pair whose receiver is `to`. `both`: neither direction
    works. `by_load`: a machine that is too slow may be the reason."""

    step: str
    who: str
    cause: str
    to: str | None = None
    both: bool = False
    by_load: bool = False
    pending: bool = False

    @property
    def code(self) -> int | None:
        """The exit code of its step, where it has one of its own."""
        return _CODES.get(self.step)

    def comes_before(self, steps: Sequence[str]) -> bool:
        """So that these were not reached."""
        order = list(STEPS)
        return order.index(self.step) < min(map(order.index, steps))

    def __str__(self) -> str:
        way = "↔" if self.both else "→"
        who = f"{self.who} {way} {self.to}" if self.to else self.who
        advice = "" if " — " in self.cause else f" — {STEPS[self.step]}"
        return f"{who}: {self.step}: {self.cause}{advice}"


def failure_of_peer(run: Run) -> Failure | None:
    """What kept one peer of ours from taking part, or from leaving in good order."""
    signaling = run.of("signaling-lost") + run.of("signaling-restored")
    last = max(signaling, key=lambda event: event["t"], default=None)
    if last is not None and last["event"] == "signaling-lost" and run.code in (0, None, 3):
        return Failure("server", run.name, "it was lost in the middle of the call")
    left = run.of("left")
    if run.code in (0, None):
        reason = left[0]["reason"] if left else "interrupted"
        if reason in ("interrupted", "duration"):
            return None
        step = _OF_REASON.get(reason, "leave")
        return Failure(step, run.name, f"it left in the middle of the call: {reason}")
    assert run.code is not None
    step = _OF_CODE.get(run.code, "leave" if run.of("joined") else "join")
    cause = run.error.removeprefix("Error: ") or f"it ended with {run.code}"
    return Failure(step, run.name, cause)


def failure_of_pair(receiver: Run, sender: Member) -> Failure | None:
    """The first step that failed on the way from a member to `receiver`."""
    return next(_failures(receiver, sender), None)


def failure_to_leave(receiver: Run, left: Member) -> Failure | None:
    """What is wrong with the leave of a member whom `receiver` was to see leave."""
    seen = receiver.of("member-left", left)
    if seen and seen[-1]["reason"] == "left":
        return None
    why = f"seen as {seen[-1]['reason']!r}" if seen else "not seen"
    return Failure("leave", left.name, f"its leave was {why}", receiver.name, by_load=True)


def _failures(receiver: Run, sender: Member) -> Iterator[Failure]:
    def failure(step: str, cause: str, **fields: bool) -> Failure:
        return Failure(step, sender.name, cause, receiver.name, **fields)

    if not receiver.of("member-joined", sender):
        yield failure("signaling", "they do not know each other", both=True, pending=True)
    if not receiver.of("peer-connected", sender):
        unknown = not _why(receiver, sender)
        yield failure(*_not_connected(receiver, sender), both=True, pending=unknown)
    if len(receiver.of("peer-disconnected", sender)) > len(receiver.of("peer-reconnected", sender)):
        yield failure("ICE", "the path was lost, and no other found", both=True)
    if not sender.ours and (left := receiver.of("member-left", sender)):
        yield failure("signaling", f"it left in the middle of the call: {left[-1]['reason']}")
    if not sender.sends and not sender.ours:
        yield failure("first frame", "neither picture nor sound is sent", pending=True)
    kinds = [kind for kind in KINDS if kind in sender.sends]
    for kind in kinds:
        if not receiver.of("first-frame", sender, kind=kind):
            yield failure("first frame", _nothing_came(receiver, sender, kind), pending=True)
    if sum(1 for _ in receiver.stats_of(sender)) < 2:
        yield failure("flow", "too little was measured to tell", by_load=True, pending=True)
    for kind in kinds:
        if _stands_still(receiver, sender, kind):
            yield failure("flow", f"no {_WORD[kind]} came in the last {STILL:g} s", by_load=True)
    content = _content(receiver, sender)
    if content("black"):
        yield failure("picture", "it is black")
    if content("frozen"):
        yield failure("picture", "it is frozen")
    if content("silent"):
        yield failure("sound", "it is silent")


def _not_connected(receiver: Run, sender: Member) -> tuple[str, str]:
    reason = _why(receiver, sender)
    if "DTLS" in reason:
        return "DTLS", reason
    if "answer" in reason or "description" in reason:
        return "signaling", reason
    # A server that is silent says more than that there was no path.
    warnings = (warning["message"] for warning in receiver.of("warning"))
    servers = [text for text in warnings if "ICE server" in text or "TURN server" in text]
    if not reason and not servers:
        return "signaling", "no connection was made, and no failure was told"
    return "ICE", "; ".join([reason or "no media path was found in time", *servers])


def _why(receiver: Run, sender: Member) -> str:
    """The reason that was told first: it is then tried again, and the next may be a consequence."""
    failed = receiver.of("peer-failed", sender)
    return str(failed[0]["reason"]) if failed else ""


def _nothing_came(receiver: Run, sender: Member, kind: str) -> str:
    packets = [inbound(s, kind, "packetsReceived") for _, s in receiver.stats_of(sender)]
    came = packets[-1] if packets else None
    if came:
        return f"no {_WORD[kind]} could be put together from the {came} packets that came"
    return f"nothing of its {_WORD[kind]} came"


def _stands_still(receiver: Run, sender: Member, kind: str) -> bool:
    frames = [
        (t, frames)
        for t, stats in receiver.stats_of(sender)
        if (frames := inbound(stats, kind, "framesReceived")) is not None
    ]
    if not frames:
        return False
    end, last = frames[-1]
    earlier = [count for t, count in frames if t <= end - STILL]
    return bool(earlier) and earlier[-1] == last


def _content(receiver: Run, sender: Member) -> Callable[[str], bool]:
    """What is true of the content in all of the last seconds."""
    stats = list(receiver.stats_of(sender))
    recent = [s.get("content", {}) for t, s in stats if t >= stats[-1][0] - STILL]

    def holds(what: str) -> bool:
        said = [content[what] for content in recent if what in content]
        return bool(said) and all(said)

    return holds
