"""What a load came to, and the verdict on it. Pure.

Rules of this file:
1. What no machine can cause (a message doubled, out of order or at the wrong one) is a no in any
   case.
2. Where the machine of the load was itself saturated, all else says nothing of the server: there is
   no verdict.
3. A load that was broken off can have failed, but not have passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from ..expectations import Expectation, holds
from .latencies import Latencies

TIMES = ("connect", "join", "signal", "chat")
COUNTS = ("failed", "errors", "lost", "doubled", "misdelivered", "disordered")
# Of a load with media: from the first offer to connected, from the sender's coming to its sound; of
# pairs, of those who are to hear the sender of their room, and of its packets to them.
MEDIA_TIMES = ("setup", "firstFrame")
MEDIA_COUNTS = (
    "connected", "unconnected", "receiving", "silent", "packetsReceived", "packetsLost",
)  # fmt: skip
METRICS = (*TIMES, *MEDIA_TIMES, *COUNTS, *MEDIA_COUNTS)
SHOWN = ("p50", "p95", "p99", "max")

MAX_LAG = 0.1  # seconds that our own loop may be late, in nine of ten intervals
MAX_BEHIND = 0.05  # of what was to be sent


@dataclass(slots=True)
class Result:
    """`planned` is what was to be sent. `failures` has the first few, each with when it was.
    What is not in `times` and `counts` was not measured. `server` is what the server says of itself
    over the run, where it does."""

    clients: int
    rooms: int
    times: dict[str, Latencies] = field(
        default_factory=lambda: {name: Latencies() for name in TIMES}
    )
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    joined: int = 0
    planned: int = 0
    sent: int = 0
    received: int = 0
    seconds: float = 0.0
    complete: bool = False
    failures: list[str] = field(default_factory=list)
    loads: list[Mapping[str, float]] = field(default_factory=list)
    server: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """For the `verdict` event: times in seconds."""
        return {
            "clients": self.clients,
            "rooms": self.rooms,
            "joined": self.joined,
            "planned": self.planned,
            "sent": self.sent,
            "received": self.received,
            "seconds": round(self.seconds, 3),
            **self.counts,
            **{name: _shown(times) for name, times in self.times.items()},
            "server": self.server,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """An expectation, whether it holds, and what was measured."""

    expectation: Expectation
    ok: bool
    measured: float | None

    def __str__(self) -> str:
        measured = "not measured" if self.measured is None else f"{self.measured:.4g}"
        return f"{'✓' if self.ok else '✗'} {self.expectation.text}: {measured}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ok` is None where nobody can know."""

    ok: bool | None
    saturated: str | None
    failures: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def judge(result: Result, expectations: Sequence[Expectation]) -> Verdict:
    outcomes = tuple(_outcome(one, result) for one in expectations)
    certain = [
        f"{result.counts[name]} messages {text}"
        for name, text in (
            ("doubled", "came twice"),
            ("misdelivered", "came to the wrong client"),
            ("disordered", "came out of order"),
        )
        if result.counts[name]
    ]
    failures = [
        *certain,
        *([f"{lost} messages were lost"] if (lost := result.counts["lost"]) else []),
        *([f"{errors} errors were told"] if (errors := result.counts["errors"]) else []),
        *(
            f"{number} {text}"
            for name, text in (
                ("unconnected", "pairs are not connected"),
                ("silent", "clients have heard nothing of their room's sender"),
            )
            if (number := result.counts.get(name))
        ),
        *result.failures,
        *(
            f"expected {one.expectation.text}"
            for one in outcomes
            if not one.ok and (result.complete or one.measured is not None)
        ),
    ]
    saturated = saturation(result)
    if certain:
        ok: bool | None = False
    elif saturated is not None:
        ok = None
    elif failures:
        ok = False
    else:
        ok = True if result.complete else None
    return Verdict(ok, saturated, tuple(failures), outcomes)


def saturation(result: Result) -> str | None:
    """What of this machine was too slow, and what to do; None where nothing was."""
    advice = "take fewer --clients, a lower --rate, or a longer --ramp"
    if len(result.loads) >= 2:
        lags = (load["loopLag"] for load in result.loads)
        lag = quantiles(lags, n=10, method="inclusive")[-1]
        if lag > MAX_LAG:
            return f"this machine was up to {lag * 1000:.0f} ms late itself — {advice}"
    if result.complete and result.sent < result.planned * (1 - MAX_BEHIND):
        return f"only {result.sent} of {result.planned} messages could be sent — {advice}"
    return None


def _outcome(expectation: Expectation, result: Result) -> Outcome:
    name = expectation.metric
    measured: float | None
    if name in result.counts:
        measured = result.counts[name]
    else:
        times = result.times.get(name)
        measured = None if times is None else times.figure(expectation.aggregate or "max")
    ok = measured is not None and holds(expectation, measured)
    return Outcome(expectation, ok, measured)


def _shown(times: Latencies) -> dict[str, float | None]:
    found = {name: times.figure(name) for name in SHOWN}
    shown = {name: None if value is None else round(value, 6) for name, value in found.items()}
    return {**shown, "count": times.count}
