"""How much a participant's clock goes wrong beside ours. Pure.

Rule 1. The frame that is least delayed on its way tells, as in `PlayoutClock`: the one of each
        `WINDOW` beside the one of the first.
Rule 2. It is followed no faster than clocks go wrong: a way that is slow for a while moves nothing
        by much.
"""

WINDOW = 20.0  # seconds
FASTEST = 150e-6  # clocks are wrong by up to 50 ppm, two of them by 100


class Drift:
    """`origin`: our time at the participant's time 0, when it began; None in the first window."""

    def __init__(self) -> None:
        self.origin: float | None = None
        self.seconds = 0.0  # to add to the participant's time
        self._least: float | None = None
        self._ends = 0.0  # the window
        self._target = 0.0
        self._seen = 0.0

    def see(self, time: float, now: float) -> None:
        """A frame has come: `time` on the participant's clock, `now` on ours."""
        way = now - time
        if self._least is None or now > self._ends:
            if self._least is not None:
                self.origin = self._least if self.origin is None else self.origin
                self._target = self._least - self.origin
            self._least, self._ends = way, now + WINDOW
            self._seen = self._seen or now
        self._least = min(self._least, way)
        step = FASTEST * (now - self._seen)
        self.seconds += max(-step, min(step, self._target - self.seconds))
        self._seen = now
