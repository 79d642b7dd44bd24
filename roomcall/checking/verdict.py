"""The verdict on a call: yes, no, or that nobody can know. Pure.

Rule 1. What a slow machine cannot cause (a black picture, a refusal, no path) is a no in any case.
Rule 2. Where the machine was saturated, whatever else was seen says nothing: `ok` is None, or what
        `on_saturated` says.
Rule 3. The steps are judged in any case, and what is expected beside them.
Rule 4. A call that was broken off can have failed, but not have passed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

from ..expectations import Expectation, Outcome, Pair, judge
from .runs import Member, Run, pair_of, stranger
from .saturation import saturation
from .steps import (
    STEP_OF_METRIC,
    STEPS,
    Failure,
    failure_of_pair,
    failure_of_peer,
    failure_to_leave,
)

OnSaturated = Literal["fail", "pass"]

_ADVICE = {
    "connected": "see that UDP passes between the two",
    "setup": "see the way to the server and to TURN servers",
    "firstFrame": "see the sender's load and key frames",
    "framesPerSecond": "see the sender's source and load, and the network's rate",
    "loss": "see the network between the two",
    "freezes": "see the sender's load and the network between the two",
    "latency": STEPS["latency"],
    "avOffset": STEPS["sync"],
    "roundTripTime": "see the network's delay, and the way over relays",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One of the things that any call has to do: whether it did, None where it could not be seen,
    and what was measured."""

    text: str
    ok: bool | None
    figure: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ok` is None where nobody can know: as the machine was `saturated` (a text that says by
    what), or as it was broken off (not `complete`). `code` is the exit code."""

    ok: bool | None
    code: int
    complete: bool
    saturated: str | None
    failures: tuple[Failure, ...]
    checks: tuple[Check, ...]
    outcomes: tuple[Outcome, ...]
    pairs: tuple[Pair, ...]

    def texts(self) -> list[str]:
        """What is wrong, each in a line with what to do."""
        return [
            *map(str, self.failures),
            *(failed_text(outcome) for outcome in self.outcomes if not outcome.ok),
            *([self.saturated] if self.saturated else []),
        ]

    def to_dict(self) -> dict[str, Any]:
        """The `verdict` event's fields."""
        return {
            "ok": self.ok,
            "saturated": self.saturated is not None,
            "failures": self.texts(),
            "checks": [{"text": c.text, "ok": c.ok, "measured": c.figure} for c in self.checks],
            "expectations": [
                {"text": o.expectation.text, "ok": o.ok, "measured": _rounded(o.measured)}
                for o in self.outcomes
            ],
            "pairs": [
                {"from": p.sender, "to": p.receiver}
                | {name: _rounded(value) for name, value in p.whole.items()}
                for p in self.pairs
            ],
        }


def judge_call(
    runs: Sequence[Run],
    *,
    expectations: Sequence[Expectation] = (),
    others: Mapping[str, str] | None = None,
    missing: int = 0,
    on_saturated: OnSaturated | None = None,
    complete: bool = True,
) -> Verdict:
    """Of the peers of ours, and of `others` (names by client id), who are to send as well, and of
    whom so many are `missing`."""
    of_peers = [failure for run in runs if (failure := failure_of_peer(run)) is not None]
    failed = {failure.who for failure in of_peers}
    present = [run for run in runs if run.ids and run.name not in failed]
    members = {run.name: Member(run.name, run.ids, run.sends) for run in present}
    strangers = [stranger(id, name, present) for id, name in (others or {}).items()]
    pairs: list[Pair] = []
    of_pairs: list[Failure] = []
    for receiver in present:
        ours = [member for name, member in members.items() if name != receiver.name]
        for sender in [*ours, *strangers]:
            pairs.append(pair_of(receiver, sender))
            if (failure := failure_of_pair(receiver, sender)) is not None:
                of_pairs.append(failure)
    of_leaves = [
        failure
        for leaver in present
        for receiver in present
        if leaver.leaves_first and complete and receiver is not leaver
        if (failure := failure_to_leave(receiver, members[leaver.name])) is not None
    ]
    failures = [*_merged(of_peers), *_once(of_pairs), *of_leaves]
    absent = [] if failed else list(_absent(runs, missing))
    failures += absent
    outcomes = [judge(expectation, pairs) for expectation in expectations]
    if not complete:
        failures = [failure for failure in failures if not failure.pending]
        outcomes = [outcome for outcome in outcomes if outcome.measured is not None]
    saturated = saturation(runs)
    fine = not failures and all(outcome.ok for outcome in outcomes)
    if complete:
        never = bool(absent) or not all(pair.whole["connected"] for pair in pairs)
        ok, code = _decide(failures, fine, never, saturated, on_saturated)
    else:
        certain = any(not failure.by_load for failure in failures)
        ok, code = (None, 6) if fine or (saturated and not certain) else (False, 1)
    checks = tuple(_checks(pairs, [*of_pairs, *of_leaves, *absent], outcomes, complete=complete))
    return Verdict(
        ok, code, complete, saturated, tuple(failures), checks, tuple(outcomes), tuple(pairs)
    )


def judge_received(run: Run, expectations: Sequence[Expectation]) -> list[Outcome]:
    """Of what one peer has received, from everybody who was there."""
    renamed = {new for event in run.of("signaling-restored") for new in event["renamed"].values()}
    members = {event["peer"]: event["name"] for event in run.of("member-joined")}
    pairs = [
        pair_of(run, stranger(id, name or id[:8], [run]))
        for id, name in members.items()
        if id not in renamed
    ]
    return [judge(expectation, pairs) for expectation in expectations]


def failed_text(outcome: Outcome) -> str:
    """What an expectation that does not hold says: the step, what it is, of whom, what to do."""
    measured = "not measured" if outcome.measured is None else f"it is {outcome.measured:.4g}"
    who = ", ".join(f"{sender} → {receiver}" for sender, receiver in outcome.pairs)
    where = f" ({who})" if who else ""
    metric = outcome.expectation.metric
    step = STEP_OF_METRIC[metric]
    return f"{step}: {outcome.expectation.text}: {measured}{where} — {_ADVICE[metric]}"


def _decide(
    failures: Sequence[Failure],
    fine: bool,
    never_connected: bool,
    saturated: str | None,
    on_saturated: OnSaturated | None,
) -> tuple[bool | None, int]:
    """`ok` and the exit code: the first that applies."""
    if codes := [failure.code for failure in failures if failure.code is not None]:
        return False, min(codes)
    if never_connected:
        return False, 5
    if any(not failure.by_load for failure in failures):
        return False, 1
    if saturated is not None:
        return {"fail": (False, 1), "pass": (True, 0), None: (None, 6)}[on_saturated]
    return fine, 0 if fine else 1


def _checks(
    pairs: Sequence[Pair],
    failures: Sequence[Failure],
    outcomes: Sequence[Outcome],
    *,
    complete: bool,
) -> Iterator[Check]:
    """A pair has reached a step where it has not failed at an earlier one."""
    unmet = {STEP_OF_METRIC[o.expectation.metric] for o in outcomes if not o.ok}
    for kind in CHECKS:
        stopped = sum(failure.comes_before(kind.steps) for failure in failures if failure.to)
        wrong = any(failure.step in kind.steps for failure in failures)
        known = complete and stopped < len(pairs)
        if kind.metric is not None:
            wrong = not unmet.isdisjoint(kind.steps)
            known = known and any(pair.whole[kind.metric] is not None for pair in pairs)
        ok = False if wrong else True if known else None
        yield Check(kind.text, ok, kind.figure(pairs) if ok else "")


def _connected(pairs: Sequence[Pair]) -> str:
    return f"{len(pairs)} of {len(pairs)}{_most(pairs, 'setup', ', {:.2f} s at most')}"


def _most(pairs: Sequence[Pair], name: str, pattern: str) -> str:
    values = [value for pair in pairs if (value := pair.whole[name]) is not None]
    return pattern.format(max(values)) if values else ""


def _first_frame(pairs: Sequence[Pair]) -> str:
    return _most(pairs, "firstFrame", "{:.2f} s at most")


def _slowest(pairs: Sequence[Pair]) -> str:
    rates = [rate for pair in pairs if (rate := pair.whole["framesPerSecond"]) is not None]
    return f"{min(rates):.1f} fps at least" if rates else ""


def _latency(pairs: Sequence[Pair]) -> str:
    return _most(pairs, "latency", "{:.3f} s at most")


def _apart(pairs: Sequence[Pair]) -> str:
    offsets = [abs(offset) for pair in pairs if (offset := pair.whole["avOffset"]) is not None]
    return f"{max(offsets):.3f} s apart at most" if offsets else ""


@dataclass(frozen=True, slots=True)
class CheckKind:
    """A check of every pair: where it takes these steps, and what is measured there. With a
    `metric` it is done where that is known, and fails where more is expected of it."""

    text: str
    steps: tuple[str, ...]
    figure: Callable[[Sequence[Pair]], str] = lambda _: ""
    metric: str | None = None


CHECKS = (
    CheckKind("every pair connected", ("signaling", "ICE", "DTLS"), _connected),
    CheckKind("a first frame of each kind sent", ("first frame",), _first_frame),
    CheckKind("picture and sound moving at the end", ("flow",), _slowest),
    CheckKind("picture neither black nor frozen", ("picture",)),
    CheckKind("sound not silent", ("sound",)),
    CheckKind("latency", ("latency",), _latency, "latency"),
    CheckKind("picture and sound in sync", ("sync",), _apart, "avOffset"),
    CheckKind("left in good order", ("leave",)),
)


def _absent(runs: Sequence[Run], missing: int) -> Iterator[Failure]:
    """Who was to be in the room and is not, though nobody has said why."""
    for run in runs:
        if not run.ids:
            yield Failure("signaling", run.name, "it was not in the room in time", pending=True)
    if missing:
        yield Failure("signaling", "awaited members", f"{missing} did not come", pending=True)


def _merged(failures: Sequence[Failure]) -> Iterator[Failure]:
    """What all of ours say is told once."""

    def what(failure: Failure) -> tuple[str, str]:
        return failure.step, failure.cause

    for _, group in groupby(sorted(failures, key=what), what):
        same = list(group)
        yield replace(same[0], who=", ".join(failure.who for failure in same))


def _once(failures: Sequence[Failure]) -> Iterator[Failure]:
    """That two have no connection: by who knows more than that the other one gave up."""
    told: dict[frozenset[str | None], Failure] = {}
    for failure in failures:
        members = frozenset((failure.who, failure.to))
        if not failure.both:
            yield failure
        elif members not in told or "the other side" in told[members].cause:
            told[members] = failure
    yield from told.values()


def _rounded(value: float | bool | None) -> float | bool | None:
    return round(value, 4) if isinstance(value, float) else value
