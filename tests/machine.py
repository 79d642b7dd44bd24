"""How busy the machine was while a test measured."""

import time
from pathlib import Path

import psutil

SATURATED = 90.0  # percent of all cores
WAITED = 0.2  # of the time, in which we were ready to run and others had the cores
# Of the event loop's thread, in nanoseconds: time on a core, time spent waiting for one (Linux).
_SCHEDULED = Path("/proc/self/schedstat")


class Load:
    """From when it is made on. Where the machine had nothing left, it was the bottleneck, and what
    is slow says nothing about what was tested: a bound on time is to be a generous one then."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()
        self._waited, self._began = _waited(), time.monotonic()

    def is_saturated(self) -> bool:
        if _waited() - self._waited > WAITED * (time.monotonic() - self._began):
            return True
        now = psutil.cpu_times()
        idle = now.idle - self._before.idle + getattr(now, "iowait", 0.0)
        idle -= getattr(self._before, "iowait", 0.0)
        total = sum(now) - sum(self._before)
        return total > 0 and 100 * (1 - idle / total) >= SATURATED


def _waited() -> float:
    """Seconds for a core, as far as the system tells."""
    try:
        return int(_SCHEDULED.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
