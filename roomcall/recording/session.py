"""What `session.json` says of a recording. Pure.

All times are seconds since the recording began, which `started` says (RFC 3339). A file's time 0 is
at its `offset`: files laid side by side by their offsets are in sync.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ..media.source import Kind

MAX_GAPS = 1000  # of a track; later ones only lengthen the last
MAX_CHAT = 10_000  # messages; later ones are left out


class Gap(Struct, rename="camel"):
    """Nothing from `start` to `end`, in seconds of the file: `lost` on the way, or `paused`."""

    start: float
    end: float
    reason: Literal["lost", "paused"]


class Track(Struct, rename="camel"):
    """A picture or a sound in a file; `bytes` as they came."""

    kind: Kind
    codec: str
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    frames: int = 0
    bytes: int = 0
    gaps: list[Gap] = []

    def add_gap(self, start: float, end: float, lost: bool) -> None:
        reason: Literal["lost", "paused"] = "lost" if lost else "paused"
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append(Gap(round(start, 3), round(end, 3), reason))
        else:
            self.gaps[-1].end = round(end, 3)


class File(Struct, rename="camel"):
    """`participant` is a place in `participants`, `peer` the client id that it had then. `follows`:
    the file of the same participant before this one."""

    file: str
    participant: int
    peer: str
    offset: float
    state: Literal["recording", "finished", "failed"] = "recording"
    seconds: float = 0.0
    bytes: int = 0
    follows: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    tracks: list[Track] = []

    def track(self, kind: Kind) -> Track:
        return next(track for track in self.tracks if track.kind == kind)


class Visit(Struct, rename="camel"):
    """From when to when somebody was there, by its client id."""

    peer: str
    joined: float
    left: float | None = None


class Participant(Struct, rename="camel"):
    """One person: who comes back under the same name is the same."""

    name: str
    visits: list[Visit] = []

    @property
    def is_there(self) -> bool:
        return any(visit.left is None for visit in self.visits)


class Chat(Struct, rename="camel"):
    time: float
    peer: str
    name: str
    text: str


class Room(Struct, rename="camel"):
    id: str
    name: str


class Session(Struct, rename="camel"):
    """The whole of it. `ended` is missing where the recording was not finished in good order."""

    started: str
    version: Literal[1] = 1
    ended: str | UnsetType = UNSET
    seconds: float = 0.0
    room: Room | UnsetType = UNSET
    participants: list[Participant] = []
    files: list[File] = []
    chat: list[Chat] = []

    def arrive(self, peer: str, name: str, time: float) -> int:
        """Somebody is there: its place among the participants. One who was there before and has
        gone is the same person by its name."""
        visit = Visit(peer, round(time, 3))
        for place, known in enumerate(self.participants):
            if name and known.name == name and not known.is_there:
                known.visits.append(visit)
                return place
        self.participants.append(Participant(name, [visit]))
        return len(self.participants) - 1

    def depart(self, participant: int, time: float) -> None:
        for visit in self.participants[participant].visits:
            if visit.left is None:
                visit.left = round(time, 3)

    def say(self, chat: Chat) -> None:
        if len(self.chat) < MAX_CHAT:
            self.chat.append(chat)

    def latest_of(self, participant: int) -> str | UnsetType:
        """Its last file's name."""
        files = [file.file for file in self.files if file.participant == participant]
        return files[-1] if files else UNSET

    def to_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def schema() -> bytes:
    """JSON Schema 2020-12 of `session.json`."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "session.json of a recording by roomcall",
        **msgspec.json.schema(Session),
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"
