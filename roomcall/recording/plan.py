"""Which file a participant's frames go into, and when one begins. Pure.

Rule 1. A file begins when a key frame is there, which is asked for at once, and when sender reports
        have tied picture and sound to one clock; sound from before is kept. After `HOLD` it begins
        with what there is, after `TIE` also where reports are missing: one may be lost. Who sends
        nothing has no file.
Rule 2. A file has a picture of one size and codec, and a sound of one codec. What does not fit
        begins another file: a picture with its key frame, and so does a sound while there is a
        picture. A sound that was announced has its place, also when it is silent yet.
Rule 3. After a loss the picture goes on at a key frame, which is asked for until it comes.
Rule 4. With a `segment` length a new file begins at the first key frame after it. Sound that comes
        late, from before the cut, still goes into the file before.
Rule 5. The time of a file is the peer's, from its first frame on: a pause stays a pause. Only where
        the peer's clock goes wrong beside ours it is moved, slowly.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..media.codecs import picture_size
from ..media.source import Kind
from .drift import Drift
from .effects import AskForKeyFrame, Begin, Effect, End, Gap, Stream, Write

if TYPE_CHECKING:
    from ..peer.playout import PlayoutClock
    from ..peer.track import EncodedFrame

HOLD = 2.0  # seconds
TIE = 4.0  # seconds
HELD = 512  # frames; then the oldest is dropped
KEY_FRAME_RETRY = 1.0  # seconds
PAUSE = 1.0  # seconds between two frames of a kind; more is a gap
NEW_CLOCK = 10.0  # seconds; time stamps that are off by more are of a stream that has ended
STRAGGLERS = 1.0  # seconds for which sound from before a cut is waited for

CODECS: dict[Kind, frozenset[str]] = {
    "video": frozenset({"H264", "VP8"}),
    "audio": frozenset({"opus", "PCMU", "PCMA"}),
}


@dataclass(slots=True)
class _File:
    number: int
    zero: float
    streams: dict[Kind, Stream]
    last: dict[Kind, tuple[int, float]] = field(default_factory=dict)  # time stamp, and time


class FilePlan:
    """For one participant. `clock` is its own; `now` is any clock that does not go back."""

    def __init__(self, clock: "PlayoutClock", segment: float | None = None) -> None:
        self.drift = Drift()
        self._clock = clock
        self._segment = segment
        self._announced: dict[Kind, str] = {}  # codecs
        self._held: deque[tuple[Kind, str, EncodedFrame]] = deque(maxlen=HELD)
        self._held_since: float | None = None
        self._file: _File | None = None
        self._before: _File | None = None  # takes what belongs before the cut
        self._files = 0
        self._broken: set[Kind] = set()  # what comes does not follow what was written
        self._asked = float("-inf")

    def announce(self, kind: Kind, codec: str, now: float) -> list[Effect]:
        """The participant has a track."""
        self._announced[kind] = codec
        return self._ask(now) if kind == "video" else []

    def lost(self, kind: Kind) -> None:
        """What was to be written last could not be kept."""
        self._broken.add(kind)

    def frame(self, kind: Kind, codec: str, frame: "EncodedFrame", now: float) -> list[Effect]:
        """A frame has come."""
        if codec not in CODECS[kind]:
            return []
        if frame.gap:
            self._broken.add(kind)
        if self._clock.is_tied(kind):
            self.drift.see(self._time(kind, frame), now)
        if self._file is None:
            return self._hold(kind, codec, frame, now)
        frame = self._timed(kind, frame)
        if kind == "video":
            return self._picture(self._file, codec, frame, now)
        return self._sound(self._file, codec, frame, now)

    def end(self) -> list[Effect]:
        """The participant has gone: what is held is written."""
        effects = [] if self._file is not None else self._begin_with_held()
        effects += [End(file.number) for file in (self._before, self._file) if file is not None]
        self._file = self._before = None
        return effects

    def _ask(self, now: float) -> list[Effect]:
        if now - self._asked < KEY_FRAME_RETRY:
            return []
        self._asked = now
        return [AskForKeyFrame()]

    def _time(self, kind: Kind, frame: "EncodedFrame") -> float:
        """By what is known of the clock now, and not by what it held up when that was learnt."""
        time = self._clock.at(kind, frame.timestamp)
        return frame.time if time is None or abs(time - frame.time) > NEW_CLOCK else time

    def _timed(self, kind: Kind, frame: "EncodedFrame") -> "EncodedFrame":
        time = self._time(kind, frame) + self.drift.seconds
        return frame if time == frame.time else replace(frame, time=time)

    # Before the first file

    def _hold(self, kind: Kind, codec: str, frame: "EncodedFrame", now: float) -> list[Effect]:
        if self._held_since is None:
            self._held_since = now
        self._held.append((kind, codec, frame))
        has_key_frame = any(_picture_of(*held) is not None for held in self._held)
        kinds, held = {kind for kind, _, _ in self._held}, now - self._held_since
        is_all = self._announced.keys() <= kinds and (
            has_key_frame or "video" not in self._announced
        )
        is_tied = all(self._clock.is_tied(kind) for kind in kinds)
        if (is_all or held >= HOLD) and (is_tied or held >= TIE):
            effects = self._begin_with_held()
            if effects:
                return effects
        return self._ask(now) if kind == "video" and not has_key_frame else []

    def _begin_with_held(self) -> list[Effect]:
        """Nothing where there is neither a sound nor a key frame."""
        frames: list[tuple[Kind, EncodedFrame]] = []
        picture = sound = None
        for kind, codec, frame in self._held:
            if kind == "video":
                picture = picture or _picture_of(kind, codec, frame)
            elif sound is None:
                sound = Stream(kind, codec)
            if kind == "audio" or picture is not None:
                frames.append((kind, self._timed(kind, frame)))
        if not frames:
            return []
        if sound is None and self._announced.get("audio") in CODECS["audio"]:
            sound = Stream("audio", self._announced["audio"])
        self._broken.clear()
        return self._begin(frames, picture, sound)

    # Afterwards

    def _picture(self, file: _File, codec: str, frame: "EncodedFrame", now: float) -> list[Effect]:
        picture, written = _picture_of("video", codec, frame), file.streams.get("video")
        due = self._is_due(file, frame.time) or bool(self._held)
        if picture is not None and (due or not picture.fits(written)):
            self._broken.discard("video")
            return self._begin([("video", frame)], picture, self._sound_to_come(file))
        torn = "video" in self._broken and not frame.keyframe
        if picture is None and (written is None or written.codec != codec or torn):
            return self._ask(now)
        return self._write(file, "video", frame) + (self._ask(now) if due else [])

    def _sound_to_come(self, file: _File) -> Stream | None:
        return Stream("audio", self._held[0][1]) if self._held else file.streams.get("audio")

    def _sound(self, file: _File, codec: str, frame: "EncodedFrame", now: float) -> list[Effect]:
        sound, written = Stream("audio", codec), file.streams.get("audio")
        has_picture = "video" in file.streams
        if not sound.fits(written):
            if has_picture and (not self._held or frame.time - self._held[0][2].time < HOLD):
                self._held.append(("audio", codec, frame))
                return self._ask(now)
            return self._begin([("audio", frame)], None, sound)
        if not has_picture and self._is_due(file, frame.time):
            return self._begin([("audio", frame)], None, sound)
        before = self._before
        if before is not None and frame.time < file.zero:
            return self._write(before, "audio", frame)
        return self._close_before() + self._write(file, "audio", frame)

    def _is_due(self, file: _File, time: float) -> bool:
        return self._segment is not None and time - file.zero >= self._segment

    def _begin(
        self, frames: list[tuple[Kind, "EncodedFrame"]], *streams: Stream | None
    ) -> list[Effect]:
        """A file with these frames, and with the sound that was held for it."""
        if self._file is not None:
            frames = [(kind, frame) for kind, _, frame in self._held] + frames
        self._held.clear()
        present = {stream.kind: stream for stream in streams if stream is not None}
        file = _File(self._files, min(frame.time for _, frame in frames), present)
        self._files += 1
        effects = self._leave(file)
        effects.append(Begin(file.number, tuple(present.values()), file.zero))
        for kind, frame in frames:
            effects += self._write(file, kind, frame)
        return effects

    def _leave(self, begun: _File) -> list[Effect]:
        """For the file that begins; the one so far is closed, or kept for sound that comes late."""
        effects, old = self._close_before(), self._file
        self._file = begun
        if old is None:
            return effects
        sound = old.streams.get("audio")
        if (
            "video" in begun.streams
            and sound is not None
            and sound.fits(begun.streams.get("audio"))
        ):
            self._before = old
            return effects
        return [*effects, End(old.number)]

    def _close_before(self) -> list[Effect]:
        before, self._before = self._before, None
        return [] if before is None else [End(before.number)]

    def _write(self, file: _File, kind: Kind, frame: "EncodedFrame") -> list[Effect]:
        effects: list[Effect] = []
        last, lost = file.last.get(kind), kind in self._broken
        self._broken.discard(kind)
        time = frame.time - file.zero
        if last is not None and frame.timestamp > last[0]:
            time = max(time, last[1])  # whatever the clock learns
        time = max(0.0, time)
        if last is not None and (lost or time - last[1] > PAUSE):
            effects.append(Gap(file.number, kind, last[1], time, lost))
        if last is None or time >= last[1]:
            file.last[kind] = frame.timestamp, time
        effects.append(Write(file.number, kind, frame.data, time, frame.keyframe))
        if self._before is not None and kind == "video" and time > STRAGGLERS:
            effects += self._close_before()
        return effects


def _picture_of(kind: Kind, codec: str, frame: "EncodedFrame") -> Stream | None:
    """What a file would have to hold for a key frame; None for other frames."""
    if kind != "video" or not frame.keyframe:
        return None
    size = picture_size(codec, frame.data)
    return None if size is None else Stream("video", codec, size, frame.data)
