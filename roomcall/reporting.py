"""What happens in a call, written down as events."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from . import events
from .eventlog import EventLog
from .media.source import Kind
from .peer.datachannel import DataChannel
from .peer.internals import SelectedPair
from .peer.peer import Peer
from .peer.track import RemoteTrack
from .protocol.room import Member

E = TypeVar("E", bound=events.Event)


class Reporter:
    """Implements `PeerListener`; the call itself uses `emit`. `log` has it all."""

    def __init__(self) -> None:
        self.log = EventLog()
        self._loop = asyncio.get_running_loop()
        self._begun = self._joined = self._loop.time()
        self._arrived: dict[Peer, float] = {}
        self.own_id = ""
        self._warned: set[str] = set()

    def emit(self, event_type: Callable[..., E], **fields: Any) -> E:
        event = event_type(time=datetime.now(UTC), t=self._loop.time() - self._begun, **fields)
        self.log.append(event)
        return event

    def joined(self, **fields: Any) -> None:
        """From now on the time in the room counts; `t` has counted since it was entered."""
        self._joined = self._loop.time()
        self.emit(events.Joined, **fields)

    def left(self, reason: str) -> None:
        self.emit(events.Left, reason=reason, seconds=self._loop.time() - self._joined)

    def arrived(self, peer: Peer) -> None:
        self._arrived[peer] = self._loop.time()
        self.emit(events.MemberJoined, peer=peer, name=peer.name)

    def member_updated(self, peer: Peer, member: Member) -> None:
        self.emit(
            events.MemberUpdated,
            peer=peer,
            name=peer.name,
            audio_muted=member.audio_muted,
            video_muted=member.video_muted,
            recording=member.recording,
        )

    def departed(self, peer: Peer, reason: str) -> None:
        del self._arrived[peer]
        membership = "disconnected" if reason == "lost" else reason
        self.emit(events.MemberLeft, peer=peer, name=peer.name, reason=membership)
        self.emit(events.PeerLeft, peer=peer, name=peer.name, reason=reason)

    def renamed(self, ids: Mapping[str, str]) -> None:
        """The server had forgotten everybody, and we know each other again."""
        self.emit(events.SignalingRestored, resumed=False, id=self.own_id, renamed=dict(ids))

    def peer_connected(self, peer: Peer, seconds: float, pair: SelectedPair) -> None:
        self.emit(
            events.PeerConnected,
            peer=peer,
            name=peer.name,
            seconds=seconds,
            local=pair.local,
            remote=pair.remote,
            protocol=pair.protocol,
        )

    def peer_disconnected(self, peer: Peer) -> None:
        self.emit(events.PeerDisconnected, peer=peer, name=peer.name)

    def peer_reconnected(self, peer: Peer) -> None:
        self.emit(events.PeerReconnected, peer=peer, name=peer.name)

    def peer_failed(self, peer: Peer, reason: str) -> None:
        self.emit(events.PeerFailed, peer=peer, name=peer.name, reason=reason)

    def channel_opened(self, peer: Peer, channel: DataChannel) -> None:
        self.emit(
            events.ChannelOpened, peer=peer, name=peer.name, label=channel.label, channel=channel
        )

    def data_received(self, peer: Peer, label: str, data: str | bytes) -> None:
        self.emit(events.DataReceived, peer=peer, name=peer.name, label=label, data=data)

    def peer_hung_up(self, peer: Peer, reason: str) -> None:
        if reason != "no-media":  # a member without media: as it should be
            self.warn(f"{peer.name or peer.id} hung up: {reason}")

    def track_added(self, peer: Peer, track: RemoteTrack) -> None:
        self.emit(
            events.TrackAdded,
            peer=peer,
            name=peer.name,
            kind=track.kind,
            codec=track.codec,
            track=track,
        )

    def first_frame(self, peer: Peer, kind: Kind, size: tuple[int, int] | None) -> None:
        width, height = size or (None, None)
        since = max(self._joined, self._arrived.get(peer, self._joined))
        self.emit(
            events.FirstFrame,
            peer=peer,
            name=peer.name,
            kind=kind,
            seconds=self._loop.time() - since,
            width=width,
            height=height,
        )

    def warn(self, message: str) -> None:
        self.emit(events.WarningIssued, message=message)

    def warn_once(self, message: str) -> None:
        """What would be said for every peer, and again with every restart."""
        if message not in self._warned:
            self._warned.add(message)
            self.warn(message)
