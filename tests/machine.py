"""How busy the machine was while a test measured."""

import psutil

SATURATED = 90.0  # percent of all cores


class Load:
    """From when it is made on. Where the machine had nothing left, it was the bottleneck, and what
    is slow says nothing about what was tested: a bound on time is to be a generous one then."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def is_saturated(self) -> bool:
        now = psutil.cpu_times()
        idle = now.idle - self._before.idle + getattr(now, "iowait", 0.0)
        idle -= getattr(self._before, "iowait", 0.0)
        total = sum(now) - sum(self._before)
        return total > 0 and 100 * (1 - idle / total) >= SATURATED
