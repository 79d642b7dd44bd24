"""What can go wrong, as one tree.

    RoomcallError
    ├── ServerUnreachable   the signaling server does not answer, or was lost and did not come back
    ├── Refused             it answered no: `.code` is the protocol's
    ├── ProtocolError       it does not speak the protocol
    ├── SourceError         a picture or sound cannot be read: `.source`
    ├── NoMediaPath         a peer that was to be connected could not be: `.peer`
    └── RecordingError      a file cannot be written: `.path`

The text of each is one line: what, then what to do.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .peer.peer import Peer


class RoomcallError(Exception):
    """The root of all errors of this library."""


class ServerUnreachable(RoomcallError):
    """The signaling server does not answer, or was lost and did not come back."""


class Refused(RoomcallError):
    """The server said no. `code` is the protocol's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProtocolError(RoomcallError):
    """The other side does not speak the protocol."""


class SourceError(RoomcallError):
    """A source of media cannot be read. `source` is what was asked for."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(message)
        self.source = source


class NoMediaPath(RoomcallError):
    """No connection to `peer` could be made."""

    def __init__(self, peer: "Peer | None", message: str) -> None:
        super().__init__(message)
        self.peer = peer


class RecordingError(RoomcallError):
    """A file of a recording cannot be written. `path` is where it was to be."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
