"""The frames to the other end, from the first of the client id's life, numbered from 1. Pure.

Both ends keep one, so that a resume loses nothing and doubles nothing.

Rules of this file:
1. Every message takes the next number; `client-id` is none of them.
2. What is not acknowledged is kept, newest first to stay: at most so many frames and bytes.
3. What is still kept can be sent again from any number on; from before that, nothing can.
"""

from collections import deque
from collections.abc import Sequence


class Outbox:
    """`max_frames` 0 keeps nothing: then there is no resume."""

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self.sent = 0
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._kept: deque[bytes] = deque()
        self._bytes = 0

    def add(self, frame: bytes) -> None:
        self.sent += 1
        if not self._max_frames:
            return
        self._kept.append(frame)
        self._bytes += len(frame)
        self._bound()

    def acknowledge(self, count: int) -> None:
        """The other end has received the first `count`. More than were sent is a lie."""
        while self._kept and self.sent - len(self._kept) < min(count, self.sent):
            self._drop()

    def after(self, count: int) -> list[bytes] | None:
        """What came after the first `count`; None where some of it is not kept."""
        missing = self.sent - count
        if not 0 <= missing <= len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - missing :]

    def begin_after(self, count: int) -> None:
        """What is kept comes after the first `count`, of which nothing is known here."""
        self.sent = count + len(self._kept)

    def come_after(self, sent: int, frames: Sequence[bytes]) -> None:
        """Another outbox had `sent` so many before all that is in this one, and kept `frames`."""
        whole = len(self._kept) == self.sent
        self.sent += sent
        if whole:
            self._kept.extendleft(reversed(frames))
            self._bytes += sum(map(len, frames))
            self._bound()

    def all(self) -> tuple[bytes, ...]:
        """What is not acknowledged, as far as it is kept."""
        return tuple(self._kept)

    @property
    def kept(self) -> int:
        """How many frames are not acknowledged, as far as they are kept."""
        return len(self._kept)

    def _bound(self) -> None:
        kept, size = self._kept, self._bytes
        while size > self._max_bytes or len(kept) > self._max_frames:
            size -= len(kept.popleft())
        self._bytes = size

    def _drop(self) -> None:
        self._bytes -= len(self._kept.popleft())
