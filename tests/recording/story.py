"""A participant whose frames a plan gets."""

from collections.abc import Iterator

from roomcall.media.source import AUDIO_CLOCK, VIDEO_CLOCK, Kind
from roomcall.peer.playout import PlayoutClock
from roomcall.peer.track import EncodedFrame
from roomcall.recording import effects as e
from roomcall.recording.plan import FilePlan


def vp8(width: int = 320, height: int = 240) -> bytes:
    """The header of a key frame (RFC 6386 section 9.1)."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"\x10\0\0\x9d\x01\x2a" + size


DELTA = b"\x11 a picture that builds on others"


class Story:
    """A participant whose frames arrive as soon as they are made."""

    def __init__(self, segment: float | None = None, *, tied: bool = True) -> None:
        self.clock = PlayoutClock()
        self.plan = FilePlan(self.clock, segment)
        self.effects: list[e.Effect] = []
        self._tied = tied

    def announce(self, *kinds: Kind) -> None:
        for kind in kinds:
            self.effects += self.plan.announce(kind, "VP8" if kind == "video" else "opus", 0)

    def picture(
        self, time: float, data: bytes = DELTA, *, gap: bool = False, codec: str = "VP8"
    ) -> None:
        self._frame("video", codec, time, data, gap=gap)

    def sound(self, time: float, *, codec: str = "opus", late: float = 0) -> None:
        self._frame("audio", codec, time, f"sound of {time}".encode(), late=late)

    def _frame(
        self,
        kind: Kind,
        codec: str,
        time: float,
        data: bytes,
        *,
        gap: bool = False,
        late: float = 0,
    ) -> None:
        rate = VIDEO_CLOCK if kind == "video" else AUDIO_CLOCK
        stamp, now = round(time * rate), time + late
        on_clock = self.clock.time(kind, rate, stamp, now)
        if self._tied:
            self.clock.report(kind, 1000 + time, stamp)
        frame = EncodedFrame(data, stamp, on_clock, data != DELTA, gap)
        self.effects += self.plan.frame(kind, codec, frame, now)

    def end(self) -> None:
        self.effects += self.plan.end()

    def files(self) -> Iterator[tuple[int, list[Kind], float]]:
        for effect in self.effects:
            if isinstance(effect, e.Begin):
                yield effect.file, sorted(s.kind for s in effect.streams), round(effect.time, 3)

    def written(self, file: int, kind: Kind) -> list[float]:
        """Times in the file."""
        return [
            round(effect.time, 3)
            for effect in self.effects
            if isinstance(effect, e.Write) and (effect.file, effect.kind) == (file, kind)
        ]

    @property
    def asked(self) -> int:
        return sum(isinstance(effect, e.AskForKeyFrame) for effect in self.effects)

    @property
    def ended(self) -> list[int]:
        return [effect.file for effect in self.effects if isinstance(effect, e.End)]
