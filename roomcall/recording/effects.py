"""What is done to a participant's files, as `plan.py` says. `file` counts from 0, a participant."""

from dataclasses import dataclass
from typing import TypeAlias

from ..media.source import Kind


@dataclass(frozen=True, slots=True)
class Stream:
    """One in a file. `header` is the first key frame, which holds what a decoder has to know."""

    kind: Kind
    codec: str
    size: tuple[int, int] | None = None
    header: bytes = b""

    def fits(self, other: "Stream | None") -> bool:
        return other is not None and (self.codec, self.size) == (other.codec, other.size)


@dataclass(frozen=True, slots=True)
class Begin:
    """A file whose time 0 is `time` on the peer's clock."""

    file: int
    streams: tuple[Stream, ...]
    time: float


@dataclass(frozen=True, slots=True)
class Write:
    """A frame; `time` in seconds of the file."""

    file: int
    kind: Kind
    data: bytes
    time: float
    keyframe: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing of a kind from `start` to `end`, in seconds of the file: it was lost on the way, or
    there was none."""

    file: int
    kind: Kind
    start: float
    end: float
    lost: bool


@dataclass(frozen=True, slots=True)
class End:
    file: int


@dataclass(frozen=True, slots=True)
class AskForKeyFrame:
    """Of the participant's picture."""


Effect: TypeAlias = Begin | Write | Gap | End | AskForKeyFrame
