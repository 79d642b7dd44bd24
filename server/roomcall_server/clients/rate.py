"""How fast a client may talk. Pure: the time is an argument, in seconds.

Rules of this file:
1. A bucket holds two seconds' worth, so that a burst (a list of candidates) passes.
2. Who is over the limit for `patience` seconds, without a pause in which the bucket half fills,
   is to be closed.
"""


class Bucket:
    """`rate` a second; 0 is no limit. It holds at least `largest`, so that nothing is too large."""

    __slots__ = ("_at", "_burst", "_level", "_over_since", "_patience", "_rate")

    def __init__(
        self, rate: float, now: float, patience: float = 10.0, largest: float = 1.0
    ) -> None:
        self._rate = rate
        self._burst = max(2 * rate, largest)
        self._level = self._burst
        self._at = now
        self._patience = patience
        self._over_since: float | None = None

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Is so much more allowed?"""
        if not self._rate:
            return True
        level, burst = self._level + (now - self._at) * self._rate, self._burst
        self._at = now
        if level > burst:
            level = burst
        if level >= burst / 2:
            self._over_since = None
        if level >= amount:
            self._level = level - amount
            return True
        self._level = level
        if self._over_since is None:
            self._over_since = now
        return False

    def exhausted(self, now: float) -> bool:
        """Has the limit been exceeded for long?"""
        return self._over_since is not None and now - self._over_since >= self._patience

    def idle(self, now: float) -> bool:
        """Would a new bucket be the same?"""
        return self._level + (now - self._at) * self._rate >= self._burst


class Pace:
    """What one client says: so many messages, and bytes where they are limited, a second."""

    __slots__ = ("_bytes", "_messages")

    def __init__(self, messages: Bucket, bytes: Bucket | None) -> None:
        self._messages = messages
        self._bytes = bytes

    def take(self, now: float, size: int) -> bool:
        """Is a message of so many bytes allowed?"""
        if not self._messages.take(now):
            return False
        return self._bytes is None or self._bytes.take(now, size)

    def exhausted(self, now: float) -> bool:
        if self._messages.exhausted(now):
            return True
        return self._bytes is not None and self._bytes.exhausted(now)
