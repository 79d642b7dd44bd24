"""WebRTC rooms without a browser: join one, see and hear everybody in it, send to all of them.

    async with roomcall.join("standup", name="ann", video="cam.mp4") as call:
        async for event in call:
            print(event)

The names below are the public API. They load on first use: `import roomcall` alone loads neither
aiortc nor PyAV.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import bots
    from .bot import Bot
    from .call import Call
    from .errors import (
        NoMediaPath,
        ProtocolError,
        RecordingError,
        Refused,
        RoomcallError,
        ServerUnreachable,
        SourceError,
    )
    from .events import (
        ChannelOpened,
        ChatReceived,
        DataReceived,
        Event,
        FirstFrame,
        HostChanged,
        Joined,
        Left,
        MemberJoined,
        MemberLeft,
        MemberUpdated,
        Muted,
        PeerConnected,
        PeerDisconnected,
        PeerFailed,
        PeerLeft,
        PeerReconnected,
        Queued,
        RecordingChanged,
        Removed,
        RoomClosed,
        RoomStateChanged,
        RoomUpdated,
        SignalingLost,
        SignalingRestored,
        StatsUpdated,
        TrackAdded,
        WarningIssued,
    )
    from .joining import join
    from .peer.datachannel import DataChannel
    from .peer.peer import Peer
    from .peer.track import EncodedFrame, RemoteTrack
    from .recording.recorder import Recording
    from .signaling.base import Signaling

__version__ = "0.1.0"

_HOME = {
    "bot": ["Bot"],
    "call": ["Call"],
    "errors": [
        "NoMediaPath",
        "ProtocolError",
        "RecordingError",
        "Refused",
        "RoomcallError",
        "ServerUnreachable",
        "SourceError",
    ],
    "events": [
        "ChannelOpened",
        "ChatReceived",
        "DataReceived",
        "Event",
        "FirstFrame",
        "HostChanged",
        "Joined",
        "Left",
        "MemberJoined",
        "MemberLeft",
        "MemberUpdated",
        "Muted",
        "PeerConnected",
        "PeerDisconnected",
        "PeerFailed",
        "PeerLeft",
        "PeerReconnected",
        "Queued",
        "RecordingChanged",
        "Removed",
        "RoomClosed",
        "RoomStateChanged",
        "RoomUpdated",
        "SignalingLost",
        "SignalingRestored",
        "StatsUpdated",
        "TrackAdded",
        "WarningIssued",
    ],
    "joining": ["join"],
    "peer.datachannel": ["DataChannel"],
    "peer.peer": ["Peer"],
    "peer.track": ["EncodedFrame", "RemoteTrack"],
    "recording.recorder": ["Recording"],
    "signaling.base": ["Signaling"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Bot",
    "Call",
    "ChannelOpened",
    "ChatReceived",
    "DataChannel",
    "DataReceived",
    "EncodedFrame",
    "Event",
    "FirstFrame",
    "HostChanged",
    "Joined",
    "Left",
    "MemberJoined",
    "MemberLeft",
    "MemberUpdated",
    "Muted",
    "NoMediaPath",
    "Peer",
    "PeerConnected",
    "PeerDisconnected",
    "PeerFailed",
    "PeerLeft",
    "PeerReconnected",
    "ProtocolError",
    "Queued",
    "Recording",
    "RecordingChanged",
    "RecordingError",
    "Refused",
    "RemoteTrack",
    "Removed",
    "RoomClosed",
    "RoomStateChanged",
    "RoomUpdated",
    "RoomcallError",
    "ServerUnreachable",
    "Signaling",
    "SignalingLost",
    "SignalingRestored",
    "SourceError",
    "StatsUpdated",
    "TrackAdded",
    "WarningIssued",
    "bots",
    "join",
]


def __getattr__(name: str) -> Any:
    if name == "bots":  # a module, which this makes an attribute
        return import_module(".bots", __name__)
    try:
        module = _MODULE_OF[name]
    except KeyError:
        raise AttributeError(f"module 'roomcall' has no attribute {name!r}") from None
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
