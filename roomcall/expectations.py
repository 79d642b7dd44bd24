"""What is expected of a call, as people write it: `framesPerSecond.min>=20`, `loss<1%`. Pure.

Rule 1. `METRIC OP VALUE` has to hold for the whole run of every ordered pair (who sends, who
        receives). `METRIC.min`, `.max`, `.p50` and `.p95` are taken over the samples of each second
        of all pairs.
Rule 2. What is true or false counts 1 or 0; shares may be written in percent.
Rule 3. What was not measured fails, and so does what concerns no pair at all.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .errors import RoomcallError

METRICS = (
    "connected",
    "setup",
    "firstFrame",
    "framesPerSecond",
    "loss",
    "freezes",
    "latency",
    "avOffset",
    "roundTripTime",
)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_UNITS = {"": 1.0, "%": 0.01, "s": 1.0, "ms": 0.001}
_EXAMPLE = "such as framesPerSecond.min>=20, loss<1% or latency.p95<0.4"


class ExpectationError(RoomcallError, ValueError):
    """The text names what is wrong with an expectation."""


@dataclass(frozen=True, slots=True)
class Expectation:
    text: str
    metric: str
    aggregate: str | None  # min, max, p50, p95
    operator: str
    value: float

    @classmethod
    def parse(cls, text: str) -> "Expectation":
        """Raises `ExpectationError`."""
        match = re.fullmatch(
            r"\s*(\w+)(?:\.(\w+))?\s*([<>=!]+)\s*(-?(?:\d+\.?\d*|\.\d+))\s*(%|ms|s)?\s*", text
        )
        if match is None or match[3] not in _OPERATORS:
            raise ExpectationError(f"{text!r} is no METRIC OP VALUE — {_EXAMPLE}")
        metric, aggregate = match[1], match[2]
        if metric not in METRICS:
            raise ExpectationError(f"{metric}: unknown — there are {', '.join(METRICS)}")
        if aggregate not in (None, "min", "max", "p50", "p95"):
            raise ExpectationError(f"{metric}.{aggregate}: there are min, max, p50 and p95")
        value = float(match[4]) * _UNITS[match[5] or ""]
        return cls(text.strip(), metric, aggregate, match[3], value)


Values = Mapping[str, float | bool | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """What was measured of one ordered pair: the whole run, and each second of it. Times are
    seconds, `loss` is a share."""

    sender: str
    receiver: str
    whole: Values
    samples: Sequence[Values] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`measured` is what decided it, None where nothing was measured; `pairs` are those that
    failed."""

    expectation: Expectation
    ok: bool
    measured: float | None
    pairs: tuple[tuple[str, str], ...] = ()


def judge(expectation: Expectation, pairs: Sequence[Pair]) -> Outcome:
    """Whether an expectation holds."""
    holds = _OPERATORS[expectation.operator]
    if expectation.aggregate is None:
        values = [(pair, _number(pair.whole.get(expectation.metric))) for pair in pairs]
        failed = [
            (pair, value)
            for pair, value in values
            if value is None or not holds(value, expectation.value)
        ]
        # The one that is shown is the worst, or one that was not measured.
        shown = [value for _, value in failed or values]
        measured = None if None in shown or not shown else _worst(expectation, shown)
        names = tuple((pair.sender, pair.receiver) for pair, _ in failed)
        return Outcome(expectation, bool(values) and not failed, measured, names)
    found = sorted(
        value
        for pair in pairs
        for sample in (pair.samples or (pair.whole,))
        if (value := _number(sample.get(expectation.metric, pair.whole.get(expectation.metric))))
        is not None
    )
    if not found:
        return Outcome(expectation, False, None)
    aggregated = aggregate(found, expectation.aggregate)
    return Outcome(expectation, holds(aggregated, expectation.value), aggregated)


def aggregate(ordered: Sequence[float], name: str) -> float:
    """`min`, `max`, or a percentile (nearest rank) of values in ascending order, at least one."""
    match name:
        case "min":
            return ordered[0]
        case "max":
            return ordered[-1]
    rank = -(-int(name[1:]) * len(ordered) // 100)
    return ordered[max(0, rank - 1)]


def _number(value: float | bool | None) -> float | None:
    return None if value is None else float(value)


def _worst(expectation: Expectation, values: Iterable[float | None]) -> float:
    numbers = [value for value in values if value is not None]
    if expectation.operator in ("<", "<="):
        return max(numbers)
    if expectation.operator in (">", ">="):
        return min(numbers)
    return max(numbers, key=lambda value: abs(value - expectation.value))
