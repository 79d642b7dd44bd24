"""When a key frame is made. Pure.

Rule 1. However many peers ask, one key frame serves all of them.
Rule 2. A repeated request (PLI, FIR) is served at most every `window` seconds.
Rule 3. A newcomer's request is served at once, except that a key frame less than `NEWCOMER_WINDOW`
        old counts as its own: it has just been handed that one, or its neighbour's.
"""

from dataclasses import dataclass

MERGE_WINDOW = 0.5
NEWCOMER_WINDOW = 0.1


@dataclass(slots=True)
class KeyFrameRequests:
    """The requests of all peers of one encoder."""

    window: float = MERGE_WINDOW
    _wanted: bool = False
    _urgent: bool = False
    _last: float | None = None

    def request(self, *, newcomer: bool = False) -> None:
        self._wanted = True
        self._urgent = self._urgent or newcomer

    def due(self, now: float) -> bool:
        """Whether the next frame is to be a key frame."""
        if not self._wanted:
            return False
        window = NEWCOMER_WINDOW if self._urgent else self.window
        return self._last is None or now - self._last >= window

    def made(self, now: float) -> None:
        """A key frame went out."""
        self._last = now
        self._wanted = self._urgent = False
