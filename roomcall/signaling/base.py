"""The seam between a call and whatever carries its signals.

An app with a signaling of its own implements `Signaling` and gives it to `roomcall.join`:

    async with roomcall.join("standup", signaling=MySignaling(), video="cam.mp4") as call: ...
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class MemberHere:
    """Another member is in the room. `before`: it was there when we came, so we offer to it."""

    id: str
    name: str = ""
    before: bool = False


@dataclass(frozen=True, slots=True)
class MemberGone:
    """A member has left: `left`, `disconnected`, `removed` or `room-closed`."""

    id: str
    reason: str = "left"


@dataclass(frozen=True, slots=True)
class Signal:
    """From another member: `message` is `{"type": "offer" | "answer" | "ice-candidate" | "hangup" |
    "renegotiate", "payload": {…}}`, as it was given to `send` there."""

    sender: str
    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """The way to the others is broken, for `reason`; it is being mended. Media goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """It is mended. Where it is not `resumed`, we are somebody new with another `id`, the others
    have seen us leave, and who is in the room follows. `gap`: signals of before may be lost, and
    who has come and gone meanwhile follows."""

    resumed: bool
    id: str
    gap: bool = False


@runtime_checkable
class Signaling(Protocol):
    """Carries signals between the members of one room, in order, once each."""

    async def connect(self) -> str:
        """Join the room. Returns our own id: a string, different for every member."""
        ...

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        """Bring a message to the member `to`. A member that has gone meanwhile is no error."""
        ...

    def __aiter__(self) -> AsyncIterator[Any]:
        """`MemberHere`, `MemberGone`, `Signal`, from `connect` on; `Lost` and `Restored` where it
        can mend itself. Ends when the room is lost."""
        ...

    async def close(self) -> None:
        """Leave the room. May be called twice."""
        ...
