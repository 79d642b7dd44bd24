"""Many durations in little room: a histogram whose classes are 1 % wide. Pure."""

import math
from collections import Counter

_WIDTH = math.log(1.01)
_LEAST = 1e-6  # seconds; what is shorter counts as that


class Latencies:
    def __init__(self) -> None:
        self.count = 0
        self._classes: Counter[int] = Counter()
        self._min, self._max = math.inf, 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self._classes[round(math.log(max(seconds, _LEAST)) / _WIDTH)] += 1
        self._min = min(self._min, seconds)
        self._max = max(self._max, seconds)

    def figure(self, name: str) -> float | None:
        """`min`, `max`, or a percentile such as `p95` (nearest rank), to 1 %; None of nothing."""
        if not self.count:
            return None
        if name in ("min", "max"):
            return self._min if name == "min" else self._max
        rank = -(-int(name[1:]) * self.count // 100)
        for index in sorted(self._classes):
            rank -= self._classes[index]
            if rank <= 0:
                return min(max(math.exp(index * _WIDTH), self._min), self._max)
        return self._max
