"""One direction of a bad network: when each packet comes out. Pure.

Rule 1. Every packet takes the same number of draws, so the fate of the nth depends on the seed, the
        direction and n alone.
Rule 2. Losses come in runs whose mean length is `burst` (the model of Gilbert): a share `loss` is
        lost in all.
Rule 3. Packets keep their order, whatever the jitter, except for those that are to be reordered:
        they come `REORDERED_BY` later than they would.
Rule 4. With a rate, packets wait for their turn; who would wait longer than `MAX_WAIT` is lost, as
        in the queue of a router.
Rule 5. During a cut everything is lost, and what is on its way as well.
"""

import random

from .conditions import Conditions

MAX_WAIT = 0.5  # seconds
REORDERED_BY = 0.03  # seconds


class Pipe:
    """Times are seconds since the network was made."""

    def __init__(self, conditions: Conditions, seed: int, direction: str) -> None:
        self.packets = 0
        self.lost = 0
        self._conditions = conditions
        self._chance = random.Random(f"{seed} {direction}")
        self._losing = False
        self._free_at = 0.0  # when the line has sent what waits for it
        self._last_out = 0.0

    def enter(self, size: int, now: float) -> list[float]:
        """When a packet of `size` bytes comes out: never (lost), once, or twice."""
        self.packets += 1
        lost = self._draw_loss()
        jitter = self._chance.uniform(-1, 1) * self._conditions.jitter
        reordered = self._chance.random() < self._conditions.reorder
        duplicated = self._chance.random() < self._conditions.duplicate
        sent_at = None if lost else self._sent_at(size, now)
        if sent_at is None:
            self.lost += 1
            return []
        out = sent_at + max(0.0, self._conditions.delay + jitter)
        if reordered:
            out += REORDERED_BY
        else:
            out = self._last_out = max(out, self._last_out)
        if self.is_cut(now) or self.is_cut(out):
            self.lost += 1
            return []
        return [out, out] if duplicated else [out]

    def is_cut(self, time: float) -> bool:
        return any(start <= time < start + length for start, length in self._conditions.cuts)

    def _draw_loss(self) -> bool:
        """Whether this packet is lost: a Markov chain of two states."""
        loss, drawn = self._conditions.loss, self._chance.random()
        if loss >= 1:
            return True
        # Independent losses come in runs as well, of 1 / (1 - loss) in the mean: none is shorter.
        ends = min(1 / self._conditions.burst, 1 - loss)
        self._losing = drawn >= ends if self._losing else drawn < ends * loss / (1 - loss)
        return self._losing

    def _sent_at(self, size: int, now: float) -> float | None:
        if not self._conditions.rate:
            return now
        begins = max(self._free_at, now)
        if begins - now > MAX_WAIT:
            return None
        self._free_at = begins + size * 8 / self._conditions.rate
        return self._free_at
