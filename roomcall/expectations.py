"""What is expected of a call, as people write it: `framesPerSecond.min>=20`, `loss<1%`. Pure.

Rule 1. `METRIC OP VALUE` has to hold for the whole run of every ordered pair (who sends, who
        receives). `METRIC.min`, `.max`, `.p50` and `.p95` are taken over the samples of each second
        of all pairs.
Rule 2. What is true or false counts 1 or 0; shares may be written in percent.
Rule 3. `avOffset` counts by its size: sound that is early is as wrong as sound that is late.
Rule 4. What was not measured fails, and so does what concerns no pair at all.
"""

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

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
    def parse(cls, text: str, metrics: Collection[str] = METRICS) -> "Expectation":
        """Raises `ExpectationError`, also for what is none of `metrics`."""
        match = re.fullmatch(
            r"\s*(\w+)(?:\.(\w+))?\s*([<>=!]+)\s*(-?(?:\d+\.?\d*|\.\d+))\s*(%|ms|s)?\s*", text
        )
        if match is None or match[3] not in _OPERATORS:
            raise ExpectationError(f"{text!r} is no METRIC OP VALUE — {_EXAMPLE}")
        metric, aggregate = match[1], match[2]
        if metric not in metrics:
            raise ExpectationError(f"{metric}: unknown — there are {', '.join(metrics)}")
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
    fail it, each for itself."""

    expectation: Expectation
    ok: bool
    measured: float | None
    pairs: tuple[tuple[str, str], ...] = ()


def holds(expectation: Expectation, value: float) -> bool:
    """Is this value as expected?"""
    return _OPERATORS[expectation.operator](value, expectation.value)


def judge(expectation: Expectation, pairs: Sequence[Pair]) -> Outcome:
    """Whether an expectation holds."""
    holds = _OPERATORS[expectation.operator]
    name = expectation.aggregate
    found = [_values(expectation, pair) for pair in pairs]
    each = [aggregate(values, name or "max") if values else None for values in found]
    failed = [
        (pair, value)
        for pair, value in zip(pairs, each, strict=True)
        if value is None or not holds(value, expectation.value)
    ]
    if None in each or not pairs:
        measured = None
    elif name is not None:
        measured = aggregate(sorted(chain.from_iterable(found)), name)
    else:
        measured = _worst(expectation, [value for _, value in failed] or each)
    ok = measured is not None and holds(measured, expectation.value)
    names = () if ok else tuple((pair.sender, pair.receiver) for pair, _ in failed)
    return Outcome(expectation, ok, measured, names)


def aggregate(ordered: Sequence[float], name: str) -> float:
    """`min`, `max`, or a percentile (nearest rank) of values in ascending order, at least one."""
    match name:
        case "min":
            return ordered[0]
        case "max":
            return ordered[-1]
    rank = -(-int(name[1:]) * len(ordered) // 100)
    return ordered[max(0, rank - 1)]


def _values(expectation: Expectation, pair: Pair) -> list[float]:
    """In ascending order: of each second of a pair where they are aggregated and known, else that
    of the whole run; none where it was not measured."""
    of_seconds = pair.samples if expectation.aggregate is not None else ()
    found = [_number(expectation.metric, sample) for sample in of_seconds]
    measured = sorted(value for value in found if value is not None)
    whole = _number(expectation.metric, pair.whole)
    return measured or ([] if whole is None else [whole])


def _number(metric: str, values: Values) -> float | None:
    value = values.get(metric)
    if value is None:
        return None
    return abs(float(value)) if metric == "avOffset" else float(value)


def _worst(expectation: Expectation, values: Iterable[float | None]) -> float:
    numbers = [value for value in values if value is not None]
    if expectation.operator in ("<", "<="):
        return max(numbers)
    if expectation.operator in (">", ">="):
        return min(numbers)
    return max(numbers, key=lambda value: abs(value - expectation.value))
