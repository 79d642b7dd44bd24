"""Whether the machine that measured was itself the bottleneck. Pure.

Each peer reports its own load with its statistics: `loopLag`, the longest that its event loop was
late in an interval (seconds), and `cpu`, the share of all cores that was busy, whoever used them.
"""

from collections.abc import Sequence
from statistics import quantiles

from .runs import Run

MAX_LAG = 0.15  # seconds, in nine of ten intervals
MAX_CPU = 0.95  # of all cores, in half of the intervals


def saturation(runs: Sequence[Run]) -> str | None:
    """What was too slow, and what to do; None where nothing was."""
    loads = [event["load"] for run in runs for event in run.of("stats") if "load" in event]
    if len(loads) < 2:
        return None
    lag = quantiles((load["loopLag"] for load in loads), n=10)[-1]
    cpu = sorted(load["cpu"] for load in loads)[len(loads) // 2]
    if lag <= MAX_LAG and cpu <= MAX_CPU:
        return None
    seen = (
        f"event loops were up to {lag * 1000:.0f} ms late"
        if lag > MAX_LAG
        else f"the cores were {cpu:.0%} busy"
    )
    return (
        f"this machine was too slow to judge: {seen} with {len(runs)} peers"
        " — take fewer of them, a smaller picture (--size) or a lower rate (--fps)"
    )
