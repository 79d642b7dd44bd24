"""A room that we are in, and everybody in it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from . import events
from .errors import Refused, RoomcallError
from .load import LoadMeter
from .media.source import Kind, Sources
from .network.conditions import Network
from .network.line import Line
from .peer.connection import ConnectionConfig
from .peer.context import PeerContext
from .peer.ice_servers import IcePolicy, check_policy, read_ice_servers
from .peer.internals import IceSettings
from .peer.mesh import Mesh
from .peer.peer import Peer
from .peer.transceivers import VideoCodecChoice
from .protocol import replies
from .protocol.room import Room
from .publishing import Kinds, OpenSources, Publishing, SourcesFor
from .recording.recorder import Recording
from .reporting import Reporter
from .signaling.base import Lost, MemberGone, MemberHere, Restored, Signal, Signaling
from .signaling.room import RoomClient

E = TypeVar("E", bound=events.Event)

UNCHANGED: Any = object()  # the default of `publish`, for which None has a meaning
RENEW_AT = 0.75  # of the time for which credentials of ICE servers hold
TELL_TIMEOUT = 2.0  # seconds
MIN_RENEWAL, RETRY_RENEWAL = 5.0, 10.0  # seconds


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How its connections are made. `ice_servers` is W3C `RTCIceServer[]`; `measure`: what comes
    of a `testsrc` is read; `watch`: everything that comes is decoded for its content.
    `on_signal` sees each signal: whether it is ours, the peer's id, and what it is."""

    ice_servers: Sequence[Mapping[str, Any]] = ()
    ice_policy: IcePolicy = "all"
    video_codec: VideoCodecChoice = "auto"
    network: Network | None = None
    measure: bool = False
    watch: bool = False
    on_signal: Callable[[bool, str, Mapping[str, Any]], None] | None = None


class Call:
    """A room that we are in. Iterate it for events; each iteration begins with the first one.

    `error` is what has ended it, where that was neither we nor the room's closing.
    """

    def __init__(
        self,
        signaling: Signaling,
        sources: Sources,
        open_sources: OpenSources,
        *,
        bitrates: Mapping[Kind, int | None],
        options: CallOptions,
        sources_for: SourcesFor | None = None,
    ) -> None:
        self.id = ""
        self.created = False
        self.error: RoomcallError | None = None
        self._signaling = signaling
        self._options = options
        self._reporter = Reporter()
        self._ice = IceSettings(
            relay_only=options.ice_policy == "relay",
            line=None if options.network is None else Line(options.network),
            warn=self._reporter.warn_once,
        )
        self._publishing = Publishing(
            sources,
            open_sources,
            bitrates=bitrates,
            on_end=lambda: self._leave_soon("source-ended"),
            sources_for=sources_for,
        )
        self._mesh: Mesh | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving: asyncio.Task[None] | None = None
        self._recordings: list[Recording] = []

    @property
    def room(self) -> Room | None:
        """The room as the server described it last; None with a signaling of one's own."""
        return getattr(self._signaling, "room", None)

    @property
    def peers(self) -> Mapping[str, Peer]:
        """Everybody else in the room by client id, live."""
        return MappingProxyType(self._mesh.peers if self._mesh is not None else {})

    # Every member has a connection of its own, so the two are the same people.
    members = peers

    async def __aiter__(self) -> AsyncIterator[events.Event]:
        async for event in self._reporter.log:
            yield event

    async def wait_for(self, event_type: type[E], timeout: float | None = None, **fields: Any) -> E:
        """The first event of a type whose fields are as given, also one that has happened already.

        Raises `TimeoutError`, and `RoomcallError` where the call ends without it.
        """
        async with asyncio.timeout(timeout):
            async for event in self._reporter.log:
                if isinstance(event, event_type) and all(
                    getattr(event, name) == value for name, value in fields.items()
                ):
                    return event
        raise RoomcallError(f"the call has ended without {event_type.__name__}")

    async def chat(self, text: str, to: "Peer | str | None" = None) -> None:
        """Say something to all, or to one peer. Raises `Refused`."""
        if not isinstance(self._signaling, RoomClient):
            raise RoomcallError("this signaling carries no chat — use a roomcall server")
        await self._signaling.chat(text, to.id if isinstance(to, Peer) else to)

    async def publish(self, *, video: Any = UNCHANGED, audio: Any = UNCHANGED) -> None:
        """Another source during the call; None stops one. What is not named stays as it is.

        The sound of a file comes along where it is named for both. Raises `SourceError`, and then
        nothing has changed.
        """
        named: dict[Kind, Any] = {"video": video, "audio": audio}
        wanted = {kind: source for kind, source in named.items() if source is not UNCHANGED}
        await self._publishing.change(wanted)
        for peer in self.peers.values():
            peer.send_what_is_published()

    async def mute(self, kind: Kinds) -> None:
        """Send nothing of a kind, and tell the others. Raises `Refused`."""
        await self._set_muted(kind, True)

    async def unmute(self, kind: Kinds) -> None:
        """Send it again. Raises `Refused`."""
        await self._set_muted(kind, False)

    async def record(
        self, folder: "str | os.PathLike[str]", *, segment: float | None = None
    ) -> Recording:
        """Write what comes from each member into files of its own, as it comes, until the call ends
        or `Recording.stop`. With `segment` each file is about so many seconds long. The others are
        told. Raises `RecordingError` where nothing can be written there."""
        recording = Recording(self, self._reporter.emit, folder, segment, self._tell_recording)
        await recording.start()
        self._recordings.append(recording)
        return recording

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Statistics of all peers by client id, with the names of W3C webrtc-stats."""
        return await self._mesh.stats() if self._mesh is not None else {}

    async def leave(self, reason: str = "left") -> None:
        """Leave the room and end everything that belongs to the call. May be called again."""
        self._leave_soon(reason)
        assert self._leaving is not None
        await asyncio.shield(self._leaving)

    async def enter(
        self,
        stats_interval: float | None,
        on_queued: Callable[[events.Queued], None] | None,
    ) -> None:
        """Join the room, once and before all else: `roomcall.join` does it."""
        if isinstance(self._signaling, RoomClient):
            self._signaling.on_queued = lambda position: self._on_queued(position, on_queued)
        self.id = await self._signaling.connect()
        self._reporter.own_id = self.id
        self._mesh = Mesh(self._peer_context(), self._reporter)
        self.created = getattr(self._signaling, "created", False)
        self._reporter.joined(id=self.id, room=self.room, created=self.created)
        # The signaling will say so too; but whoever has joined looks at `peers` at once.
        for member in self.room.members if self.room is not None else ():
            if member.id != self.id:
                self._on_signaling(MemberHere(member.id, member.display_name, before=True))
                if member.audio_muted or member.video_muted or member.recording:
                    self._reporter.member_updated(self.peers[member.id], member)
        self._publishing.start()
        self._spawn(self._follow())
        if isinstance(self._signaling, RoomClient) and self._signaling.ice_servers:
            self._spawn(self._renew_ice_servers(self._signaling))
        if stats_interval is not None:
            self._spawn(self._report_stats(stats_interval))

    def _on_queued(self, position: int, listener: Callable[[events.Queued], None] | None) -> None:
        event = self._reporter.emit(events.Queued, position=position)
        if listener is not None:
            listener(event)

    def _peer_context(self) -> PeerContext:
        self._use_ice_servers(getattr(self._signaling, "ice_servers", []))
        return PeerContext(
            self.id,
            ConnectionConfig(self._ice, self._options.video_codec),
            self._publishing,
            self._send,
            self._reporter,
            self._on_doubt,
            self._on_told,
            self._options.measure,
            self._options.watch,
        )

    async def _send(self, to: str, message: Mapping[str, Any]) -> None:
        if self._options.on_signal is not None:
            self._options.on_signal(True, to, message)
        await self._signaling.send(to, message)

    def _use_ice_servers(self, offered: Sequence[Mapping[str, Any]]) -> None:
        servers = [*offered, *self._options.ice_servers]
        self._ice.servers = read_ice_servers(servers, self._reporter.warn_once)
        check_policy(self._ice)

    async def _renew_ice_servers(self, signaling: RoomClient) -> None:
        """Before the credentials run out; paths over relays move to new ones, make before break."""
        seconds = 0.0  # how long those that we came with hold is not known
        while True:
            try:
                offered, ttl = await signaling.renew_ice_servers()
            except RoomcallError:
                await asyncio.sleep(RETRY_RENEWAL)  # the server is lost, or will answer later
                continue
            self._use_ice_servers(offered)
            for peer in self.peers.values() if seconds else ():
                peer.renew_relay()
            seconds = max(MIN_RENEWAL, ttl * RENEW_AT)
            await asyncio.sleep(seconds)

    def _on_doubt(self) -> None:
        """What stops media may have cut us off from the server, which is needed to mend it."""
        if isinstance(self._signaling, RoomClient):
            self._signaling.check()

    def _on_told(self, peer: Peer, message: Mapping[str, Any]) -> None:
        if self._mesh is not None:
            self._mesh.told(peer, message)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name="roomcall-call"))

    def _leave_soon(self, reason: str) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(reason), name="roomcall-leave")

    async def _leave(self, reason: str) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(recording.finish() for recording in self._recordings))
        # The server first: so the others hear of a leave before the connections close.
        with contextlib.suppress(RoomcallError):
            await self._signaling.close()
        if self._mesh is not None:
            await self._mesh.close()
        await self._publishing.close()
        if self.id:
            self._reporter.left(reason)
        self._reporter.log.end()

    async def _follow(self) -> None:
        """What the signaling says, for as long as it lasts."""
        try:
            async for event in self._signaling:
                self._on_signaling(event)
            self._leave_soon("left")
        except RoomcallError as error:
            self._end_with(error, "removed" if isinstance(error, Refused) else "server-lost")

    def _end_with(self, error: RoomcallError, reason: str) -> None:
        self.error = error
        self._reporter.warn(str(error))
        self._leave_soon(reason)

    def _on_signaling(self, event: Any) -> None:
        assert self._mesh is not None
        emit = self._reporter.emit
        match event:
            case MemberHere(id, name, before):
                self._mesh.arrive(id, name, before=before)
            case MemberGone(id, reason):
                self._mesh.depart(id, reason)
            case Signal(sender, message):
                if self._options.on_signal is not None:
                    self._options.on_signal(False, sender, message)
                self._mesh.signal(sender, message)
            case replies.ChatMessage():
                self._on_chat(event)
            case replies.MemberUpdated(member=member) if member.id in self.peers:
                self._reporter.member_updated(self.peers[member.id], member)
            case replies.HostChanged(room_id=room_id, host=host):
                emit(events.HostChanged, room_id=room_id, host=host)
            case replies.RoomStateChanged(room_id=room_id, state=state):
                emit(events.RoomStateChanged, room_id=room_id, state=state)
            case replies.RoomUpdated(room=room):
                emit(events.RoomUpdated, room=room)
            case replies.Muted(room_id=room_id, kind=kind, by=by):
                self._publishing.silence(kind, True)
                emit(events.Muted, room_id=room_id, kind=kind, by=by)
            case replies.RoomClosed(room_id=room_id):
                emit(events.RoomClosed, room_id=room_id)
                self._leave_soon("room-closed")
            case replies.Removed(room_id=room_id, reason=reason):
                emit(events.Removed, room_id=room_id, reason=reason)
                why = f": {reason}" if reason else ""
                self._end_with(Refused("removed", f"the host has removed you{why}"), "removed")
            case Lost():
                emit(events.SignalingLost)
            case Restored(resumed, id, gap):
                if resumed:
                    emit(events.SignalingRestored, resumed=True, id=id, renamed={})
                    self._mesh.signaling_back(gap)
                else:
                    self._start_over(id)

    def _start_over(self, id: str) -> None:
        """As somebody new. The connections go on; `Reporter.renamed` tells when who is who."""
        assert self._mesh is not None
        self.id = self._reporter.own_id = id
        self._mesh.restart(self._peer_context())
        if any(publication.muted for publication in self._publishing.publications.values()):
            self._spawn(self._tell_muted())
        if self._is_recording:
            self._spawn(self._tell_recording())

    def _on_chat(self, message: replies.ChatMessage) -> None:
        own = message.sender == self.id
        peer = self.peers.get(message.sender)
        self._reporter.emit(
            events.ChatReceived,
            peer=peer,
            sender=message.sender,
            name=self._own_name() if own else (peer.name if peer else ""),
            text=message.payload,
            id=message.id,
            sent_at=message.sent_at,
            own=own,
        )

    def _own_name(self) -> str:
        members = self.room.members if self.room is not None else []
        return next((m.display_name for m in members if m.id == self.id), "")

    async def _set_muted(self, kind: Kinds, muted: bool) -> None:
        self._publishing.silence(kind, muted)
        await self._tell_muted()

    async def _tell_muted(self) -> None:
        if isinstance(self._signaling, RoomClient):
            await self._signaling.set_media_state(
                audio_muted=self._publishing.is_muted("audio"),
                video_muted=self._publishing.is_muted("video"),
            )

    @property
    def _is_recording(self) -> bool:
        return any(recording.is_running for recording in self._recordings)

    async def _tell_recording(self) -> None:
        if isinstance(self._signaling, RoomClient):
            # A server that is lost hears it when it is back, of `_start_over`.
            with contextlib.suppress(RoomcallError, TimeoutError):
                async with asyncio.timeout(TELL_TIMEOUT):
                    await self._signaling.set_media_state(recording=self._is_recording)

    async def _report_stats(self, interval: float) -> None:
        meter = LoadMeter()
        self._spawn(meter.run())
        while True:
            await asyncio.sleep(interval)
            peers = await self.stats()
            self._reporter.emit(events.StatsUpdated, peers=peers, load=meter.take())
