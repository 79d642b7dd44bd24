"""The verdict on a call: yes, no, or that the machine was too slow to know. Pure.

Rule 1. What a slow machine cannot cause (a black picture, a refusal, no path) is a no in any case.
Rule 2. Where the machine was saturated, whatever else failed says nothing: `ok` is None.
Rule 3. With expectations, they and the steps are judged; without, the steps alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..expectations import Expectation, Outcome, Pair, judge
from .runs import Run, pair_of
from .saturation import saturation
from .steps import Failure, failure_of_pair, failure_of_peer


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ok` is None where the machine was `saturated`: a text that says by what."""

    ok: bool | None
    saturated: str | None
    failures: tuple[Failure, ...]
    outcomes: tuple[Outcome, ...]
    pairs: tuple[Pair, ...]

    def to_dict(self) -> dict[str, Any]:
        """The `verdict` event's fields."""
        return {
            "ok": self.ok,
            "saturated": self.saturated is not None,
            "failures": [*map(str, self.failures), *([self.saturated] if self.saturated else [])],
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
    sends: Sequence[str],
    expectations: Sequence[Expectation] = (),
    others: Mapping[str, str] | None = None,
    on_saturated: Literal["fail", "pass", "unknown"] = "unknown",
) -> Verdict:
    """Of the peers of ours, and of `others` (names by client id), who send as well.

    `sends`: the kinds that everybody sends. `on_saturated`: what `ok` is then.
    """
    failures = [failure for run in runs if (failure := failure_of_peer(run)) is not None]
    failed = {failure.sender for failure in failures}
    pairs: list[Pair] = []
    for receiver in runs:
        if receiver.id is None or receiver.name in failed:
            continue
        senders = {run.id: run.name for run in runs if run is not receiver and run.id is not None}
        for id, name in {**senders, **(others or {})}.items():
            pairs.append(pair_of(receiver, id, name))
            failure = failure_of_pair(receiver, id, name, sends)
            if failure is not None and name not in failed:
                failures.append(failure)
    outcomes = tuple(judge(expectation, pairs) for expectation in expectations)
    saturated = saturation(runs)
    certain = any(not failure.by_load for failure in failures)
    fine = not failures and all(outcome.ok for outcome in outcomes)
    ok: bool | None = fine
    if saturated is not None and not certain:
        ok = {"fail": False, "pass": True, "unknown": None}[on_saturated] if not fine else None
        if fine and on_saturated != "unknown":
            ok = on_saturated == "pass"
    return Verdict(ok, saturated, tuple(failures), outcomes, tuple(pairs))


def _rounded(value: float | bool | None) -> float | bool | None:
    return round(value, 4) if isinstance(value, float) else value
