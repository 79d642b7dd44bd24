"""Whether the machine that measured was itself the bottleneck. Pure.

Each peer reports its own load with its statistics. What spoils figures is an event loop that is
late; cores that are busy matter only as far as they make it so, as others may use them.
"""

from collections.abc import Sequence
from statistics import quantiles

from .runs import Run

MAX_LAG = 0.15  # seconds, in nine of ten intervals


def saturation(runs: Sequence[Run]) -> str | None:
    """What was too slow, and what to do; None where nothing was."""
    loads = [event["load"] for run in runs for event in run.stats if "load" in event]
    if len(loads) < 2:
        return None
    lag = quantiles((load["loopLag"] for load in loads), n=10, method="inclusive")[-1]
    if lag <= MAX_LAG:
        return None
    busy = sum(load["machineCpu"] for load in loads) / len(loads)
    return (
        f"this machine was too slow to judge: event loops were up to {lag * 1000:.0f} ms late, and"
        f" its cores {busy:.0%} busy, with {_peers(len(runs))} — {_bearable(len(runs), busy)}"
    )


def _bearable(peers: int, busy: float) -> str:
    """The work grows with the number of pairs."""
    pairs = peers * (peers - 1) * MAX_LAG
    if busy < 0.9:
        return "something else holds it up: try again when it is idle"
    fewer = next((n for n in range(peers - 1, 2, -1) if n * (n - 1) * 2 <= pairs / MAX_LAG), 2)
    less = f"take {_peers(fewer)}, " if fewer < peers else "take "
    return f"{less}a smaller picture (--size) or a lower rate (--fps)"


def _peers(count: int) -> str:
    return f"{count} peer" + "s" * (count != 1)
