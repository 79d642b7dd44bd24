"""Who is seen when, and where: the plan of a composition. Pure.

Rule 1. Time 0 is the beginning of the first file. A scene ends where a file begins or ends.
Rule 2. Who has a hole of less than `HOLD` between two files is seen on: the last picture stays.
Rule 3. All in a scene have cells of one size, in rows, in the order in which they came; the name
        stands under the picture.
"""

from dataclasses import dataclass
from math import ceil, sqrt

from .session import File, Session

HOLD = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Scene:
    """From `start` to `end`, in seconds: `files` has the place of a file for each participant."""

    start: float
    end: float
    files: dict[int, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """In pixels: the picture's place, and the height of the name under it."""

    left: int
    top: int
    width: int
    height: int
    name_height: int


def beginning(session: Session) -> float:
    """Of a composition, on the recording's clock."""
    return min((file.offset for file in session.files), default=0.0)


def scenes(session: Session) -> list[Scene]:
    zero = beginning(session)
    shown = [_shown(session, place, zero) for place in range(len(session.files))]
    cuts = sorted({time for span in shown for time in span})
    found = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        there: dict[int, int] = {}
        for place, (begun, ended) in enumerate(shown):
            if begun <= start and ended >= end:
                there[session.files[place].participant] = place
        found.append(Scene(start, end, dict(sorted(there.items()))))
    return found


def _shown(session: Session, place: int, zero: float) -> tuple[float, float]:
    """From when to when a file's picture is there; on into the next file of the participant."""
    file = session.files[place]
    begun, ended = file.offset - zero, _end(file) - zero
    later = [
        other.offset - zero
        for other in session.files[place + 1 :]
        if other.participant == file.participant
    ]
    if later and later[0] - ended < HOLD:
        ended = max(begun, later[0])
    return begun, ended


def _end(file: File) -> float:
    return file.offset + file.seconds


def cells(count: int, size: tuple[int, int]) -> list[Cell]:
    """Even in all their numbers."""
    if not count:
        return []
    columns = ceil(sqrt(count))
    rows = ceil(count / columns)
    width, whole = _even(size[0] / columns), _even(size[1] / rows)
    name_height = _even(max(16, whole / 14))
    return [
        Cell(
            index % columns * width,
            index // columns * whole,
            width,
            whole - name_height,
            name_height,
        )
        for index in range(count)
    ]


def fit(picture: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest size of this shape in there."""
    scale = min(room[0] / picture[0], room[1] / picture[1])
    return max(2, _even(picture[0] * scale)), max(2, _even(picture[1] * scale))


def _even(pixels: float) -> int:
    return int(pixels) & ~1
