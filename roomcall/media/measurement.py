"""What the marks in a peer's picture and the beeps in its sound tell about the way here. Pure.

Rule 1. Latency is from the moment in which a frame was to be seen at its sender to that in which it
        is decoded here: glass to glass. Both are `loop.time()`, which is one clock on one machine.
Rule 2. A mark that is older than `OLDEST`, or of the future, is none of a `testsrc` on this clock:
        a recording, or another machine's. It counts as no mark.
Rule 3. A frame is lost where its number is missing and no frame that could not be read stands in
        its place. Numbers that begin anew are another source.
Rule 4. A freeze is what the W3C calls one (`roomcall.stats`); a frame that is shown again does not
        end it.
Rule 5. The offset of picture and sound is from a flash to the beep that belongs to it, on the clock
        that the two share: positive where the sound is late. It is known to half a second either
        way, as flash and beep come each second. Where the frame or a sound just before was missed,
        nobody knows when the flash or the beep began: it does not count. Nor does it where sender
        reports have not tied the two to one clock yet.
"""

from collections import deque
from dataclasses import dataclass, field

from ..stats import FrameCounter
from .marks import Mark

OLDEST = 30.0  # seconds
_EARLIEST = -0.1  # seconds: clocks are read at different times, and a mark has milliseconds
_WINDOW = 1.0  # seconds over which latency is taken
_HALF_PERIOD = 0.5  # seconds between a flash and its beep, at most
_HOLDS = 3.0  # seconds that an offset is told after it was measured
_JOINED = 0.005  # seconds between two sounds that follow each other, at most
_SILENCE = 0.2  # seconds without a gap before a beep, at least: a gap makes one beep two
_FIRST_FRAMES = 10  # in which a mark has to be, or there is none
_PATIENCE = 300  # frames without a mark, after there were some: loss may smear a second or two


def is_live(mark: Mark, now: float) -> bool:
    """Rule 2."""
    return _EARLIEST <= now - mark.clock <= OLDEST


@dataclass(slots=True)
class Measurement:
    """Of one peer, as long as it sends `testsrc`. Times are in seconds."""

    frames_lost: int = 0
    frames: FrameCounter = field(default_factory=FrameCounter)
    _last: Mark | None = None
    _lit: bool = False
    _unread: int = 0  # frames since the last mark
    _latencies: deque[tuple[float, float]] = field(default_factory=deque)
    _flash: float | None = None  # that waits for its beep
    _beep: float | None = None  # that waits for its flash
    _sound_end: float = 0.0
    _silent_from: float | None = None
    _offset: float | None = None
    _offset_at: float = 0.0

    @property
    def is_testsrc(self) -> bool:
        return self._last is not None

    @property
    def is_over(self) -> bool:
        """It is no `testsrc`, or none any more."""
        return self._unread >= (_PATIENCE if self.is_testsrc else _FIRST_FRAMES)

    def see(self, mark: Mark | None, lit: bool, time: float, now: float, *, tied: bool) -> None:
        """A frame that was decoded at `now` and stands at `time` on the clock of picture and sound,
        where they are `tied` to one. `lit`: its lamp is."""
        if mark is None or not is_live(mark, now):
            self._unread += 1
            if self.is_testsrc:
                self.frames.add(now, key_frame=False)
            return
        self._latencies.append((now, max(0.0, now - mark.clock)))
        self._forget(now)
        step = mark.number - self._last.number if self._last is not None else 1
        if step == 0:
            return
        self.frames.add(now, key_frame=False)
        self.frames_lost += max(0, step - 1 - self._unread) if self.is_testsrc else 0
        if tied and step == 1 and lit and not self._lit and self.is_testsrc:
            self._flash = time
            self._match(now)
        self._last, self._lit, self._unread = mark, lit, 0

    def hear(
        self, time: float, seconds: float, onset: float | None, now: float, *, tied: bool
    ) -> None:
        """So many `seconds` of sound that begin at `time`; `onset` seconds later a beep has set
        in."""
        if not tied or abs(time - self._sound_end) > _JOINED:
            self._silent_from = None
        self._sound_end = time + seconds
        if onset is None:
            self._silent_from = time if self._silent_from is None else self._silent_from
            return
        if self._silent_from is not None and time + onset - self._silent_from >= _SILENCE:
            self._beep = time + onset
            self._match(now)
        self._silent_from = None

    def _match(self, now: float) -> None:
        if self._flash is None or self._beep is None:
            return
        offset = self._beep - self._flash
        if abs(offset) <= _HALF_PERIOD:
            self._offset, self._offset_at = offset, now
            self._flash = self._beep = None

    def report(self, now: float) -> dict[str, float]:
        """`latency` and `avOffset` in seconds, each where it is known; `framesLost`; `freezes`.
        Nothing where it is no `testsrc`."""
        if not self.is_testsrc:
            return {}
        result: dict[str, float] = {}
        self._forget(now)
        if self._latencies:
            mean = sum(latency for _, latency in self._latencies) / len(self._latencies)
            result["latency"] = round(mean, 4)
        if self._offset is not None and now - self._offset_at <= _HOLDS:
            result["avOffset"] = round(self._offset, 4)
        return result | {"framesLost": self.frames_lost, "freezes": self.frames.freeze_count}

    def _forget(self, now: float) -> None:
        while self._latencies and self._latencies[0][0] <= now - _WINDOW:
            self._latencies.popleft()
