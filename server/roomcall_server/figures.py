"""What the server counts of itself. Pure: whoever counts brings the seconds.

Plain numbers, since they are written with every message; `http/metrics.py` reads them.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from roomcall.protocol.replies import Reply
from roomcall.protocol.requests import Request

_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Histogram:
    """How many values were at most each of `bounds`, as Prometheus has them."""

    def __init__(self, bounds: tuple[float, ...] = _SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(slots=True)
class Figures:
    """`handled` is how long a message took until its effects were on their way, `lag` how late the
    event loop was. `resumes` is by how: `here`, from another node (`moved`), or with a `gap`.
    `closes` is by the server's close code, 1005 where it has said none."""

    received: Counter[type[Request]] = field(default_factory=Counter)
    sent: Counter[type[Reply]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    resumes: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    joins: int = 0
    handled: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class StoreCalls:
    """What a store has called of a server of its own: how long each took, by its name, and how many
    have failed."""

    took: dict[str, Histogram] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    def observe(self, name: str, seconds: float) -> None:
        histogram = self.took.get(name)
        if histogram is None:
            histogram = self.took[name] = Histogram()
        histogram.observe(seconds)
