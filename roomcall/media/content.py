"""Whether there is anything in what a peer shows and says, whatever it sends. Pure.

Rule 1. Judged are the last `WINDOW` seconds; as long as they are not full nothing is said.
Rule 2. A picture is black where no sample of it is brighter than `_DARK`, in every picture.
Rule 3. It is frozen where three of four steps from picture to picture change nothing: an encoder
        repaints a still picture now and then (key frames, refinement), but not all the time.
Rule 4. Sound is silent where no sample is louder than `_QUIET`: any live microphone is.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

WINDOW = 2.0  # seconds
SAMPLES = 24, 16  # of a picture: columns and rows that are looked at
_DARK = 40  # luma; black is 16, or 0 where the range is full
_STILL = 0.25  # mean difference of luma; one grey level is 1
_QUIET = 32  # s16: −60 dBFS
_ENOUGH = 5  # pictures, or sounds


@dataclass(slots=True)
class Content:
    """Of one peer. Times are in seconds."""

    _pictures: deque[tuple[float, bytes]] = field(default_factory=deque)
    _peaks: deque[tuple[float, int]] = field(default_factory=deque)

    def show(self, luma: bytes, now: float) -> None:
        """Samples of a picture that was decoded at `now`: the same places in each."""
        if self._pictures and len(self._pictures[-1][1]) != len(luma):
            self._pictures.clear()
        self._pictures.append((now, luma))
        _forget(self._pictures, now)

    def hear(self, peak: int, now: float) -> None:
        """The largest sample (s16, without its sign) of a piece of sound."""
        self._peaks.append((now, peak))
        _forget(self._peaks, now)

    def report(self, now: float) -> dict[str, bool]:
        """`black`, `frozen`, `silent`: each where it is known."""
        result = {}
        _forget(self._pictures, now)
        _forget(self._peaks, now)
        if _is_full(self._pictures, now):
            result["black"] = all(max(luma) <= _DARK for _, luma in self._pictures)
            steps = [_difference(a, b) < _STILL for (_, a), (_, b) in pairwise(self._pictures)]
            result["frozen"] = 4 * sum(steps) >= 3 * len(steps)
        if _is_full(self._peaks, now):
            result["silent"] = all(peak <= _QUIET for _, peak in self._peaks)
        return result


def _difference(a: bytes, b: bytes) -> float:
    return sum(map(abs, map(int.__sub__, a, b))) / len(a)


def _is_full(items: "deque[tuple[float, bytes]] | deque[tuple[float, int]]", now: float) -> bool:
    return len(items) >= _ENOUGH and items[0][0] <= now - 0.75 * WINDOW


def _forget(items: "deque[tuple[float, bytes]] | deque[tuple[float, int]]", now: float) -> None:
    while items and items[0][0] <= now - WINDOW:
        items.popleft()
