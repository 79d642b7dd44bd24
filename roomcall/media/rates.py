"""What bitrate each peer gets, from what it reports. Pure: the time is an argument.

Rule 1. A peer has an estimate of what it can take, at first all that is sent. Its own estimate
        (REMB, draft-alvestrand-rmcat-remb-03) bounds it. Losses of more than a tenth lower it by
        half their share, losses under a fiftieth let it rise again (draft-ietf-rmcat-gcc-02
        section 6).
Rule 2. Who can take less than `SLOW` of what is sent for `SLOW_AFTER` gets the lower layer; who
        seems able to take all for `FAST_AFTER` gets the upper one again, and where that was wrong,
        later each time. So one slow peer does not sink the room. An estimate without losses does
        not make a peer slow: it may be its machine, or ours, that is busy for a while.
Rule 3. A layer has the bitrate that the slowest of its peers can take, within its bounds. Small
        changes are not made, and it rises at most every `RISE_AFTER`.

Bitrates are bits a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SLOW, SLOW_AFTER = 0.5, 3.0
FAST, FAST_AFTER = 0.8, 8.0
MUCH_LOSS, LITTLE_LOSS = 0.1, 0.02
RISE = 1.08  # a report
LONGEST_PATIENCE = 120.0
BINDING = 0.9  # an estimate of more than so much of what is sent has no meaning
HEADROOM = 0.9  # of what a peer can take; the rest is for repairs and sound
STEP = 0.1  # a change of less is none
RISE_AFTER = 3.0
LOWEST = 50_000
LEAST = 0.02  # share of the top that a peer is thought to take in any case
LOWER_LAYER = 0.3  # of the upper layer's bitrate: half its width and height


@dataclass(slots=True)
class PeerRate:
    """What one peer can take, of the upper layer's `top`."""

    slow: bool = False
    _patience: float = 0.0  # before it is tried again
    _share: float = 1.0  # of the top, as losses tell
    _loses: bool = False
    _bound: float = float("inf")
    _turning: float | None = None  # since when it has been otherwise

    def bound(self, bitrate: int) -> None:
        """The peer's own estimate has come."""
        self._bound = float(bitrate)

    def lost(self, share: float) -> None:
        """A receiver report (RFC 3550 section 6.4.1) has come; `share` of the packets was lost."""
        self._loses = share > LITTLE_LOSS
        if share > MUCH_LOSS:
            self._share = max(LEAST, self._share * (1 - 0.5 * share))
        elif share < LITTLE_LOSS:
            self._share = min(1.0, self._share * RISE)

    def bitrate(self, top: int, sent: float) -> float:
        """What it can take. `sent`: what it gets; its own estimate follows that, and says nothing
        where it lies above."""
        return min(self._share * top, self._bound if self._binds(sent) else top)

    def judge(self, sent: float, now: float) -> bool:
        """Whether it belongs to another layer than before: `slow` says to which."""
        bound = self._bound / sent if self._loses and self._binds(sent) else 1.0
        share = min(self._share, bound)
        if self.slow:
            otherwise, after = share >= FAST, self._patience
        else:
            otherwise, after = share < SLOW, SLOW_AFTER
        if not otherwise:
            self._turning = None
            return False
        if self._turning is None:
            self._turning = now
        if now - self._turning < after:
            return False
        self.slow, self._turning = not self.slow, None
        if self.slow:
            self._patience = min(LONGEST_PATIENCE, max(FAST_AFTER, 2 * self._patience))
        return True

    def _binds(self, sent: float) -> bool:
        return self._bound < BINDING * sent


@dataclass(slots=True)
class LayerRate:
    """The bitrate of one layer."""

    top: int = 0
    lowest: int = LOWEST
    current: int = 0
    _changed: float = float("-inf")

    def decide(self, peers: Iterable[float], now: float) -> int | None:
        """`peers`: what each of them can take. A new bitrate, or None."""
        current = self.current or self.top
        least = min(peers, default=float(self.top))
        wanted = self.top if least >= self.top else least * HEADROOM
        wanted = min(self.top, max(self.lowest, wanted))
        if abs(wanted - current) < STEP * current and wanted != self.top:
            return None
        if wanted == current or (wanted > current and now - self._changed < RISE_AFTER):
            return None
        self.current, self._changed = round(wanted), now
        return self.current
