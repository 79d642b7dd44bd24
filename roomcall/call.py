"""A call: what `roomcall.join` gives."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from . import events
from .errors import Refused, RoomcallError, ServerUnreachable
from .eventlog import EventLog
from .media.fanout import Publication
from .media.source import Kind, Sources, VideoOptions
from .media.sources import open_sources
from .peer.aiortc_internals import SelectedPair, allow_loopback_only
from .peer.connection import ConnectionConfig, IcePolicy, VideoCodecChoice
from .peer.mesh import Mesh
from .peer.peer import Peer, PeerContext
from .protocol import replies
from .protocol.room import Room
from .signaling.base import MemberGone, MemberHere, Signal, Signaling
from .signaling.client import JoinOptions, RoomClient, SSLOption

if TYPE_CHECKING:
    from .peer.track import RemoteTrack

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=events.Event)


@asynccontextmanager
async def join(
    room: str,
    *,
    server: str = "http://127.0.0.1:8080",
    name: str | None = None,
    video: str | object | None = None,
    audio: str | object | None = None,
    password: str | None = None,
    token: str | None = None,
    create: bool = True,
    private: bool = False,
    max_participants: int = 0,
    video_size: tuple[int, int] | None = None,
    fps: float | None = None,
    video_codec: VideoCodecChoice = "auto",
    video_bitrate: int | None = None,
    audio_bitrate: int | None = None,
    loop: bool = True,
    ice_servers: Sequence[Mapping[str, Any]] = (),
    ice_policy: IcePolicy = "all",
    ssl: SSLOption = None,
    signaling: Signaling | None = None,
    stats_interval: float | None = None,
) -> AsyncIterator["Call"]:
    """Join a room and call everybody in it: joined when entered, left when closed, also on an
    exception or cancellation.

    `room` is a name, or an id where it is a UUID; where there is none it is made, unless `create`
    is False; `private` always makes a new one that only its id leads to. `password` is the room's,
    also of one that is made; `token` the JWT that the server demands. `video` and `audio` are
    what SRC says of the command (a path, "testsrc", "none") or a source object; without `audio` the
    sound of the video source is sent. `ice_servers` (W3C `RTCIceServer`) adds to the server's.
    `ssl` is an `ssl.SSLContext`, or False to trust any certificate. Bitrates are bits a second.
    With `stats_interval` (seconds) `StatsUpdated` comes that often.

    Raises `SourceError` before the server is contacted, then `ServerUnreachable`, `Refused` or
    `ProtocolError`.
    """
    sources = await open_sources(video, audio, VideoOptions(video_size, fps), loop=loop)
    call = Call(
        signaling
        or RoomClient(
            server,
            room,
            JoinOptions(name or "", password, token, create, private, max_participants),
            ssl=ssl,
        ),
        sources,
        bitrates={"video": video_bitrate, "audio": audio_bitrate},
        config=ConnectionConfig(tuple(ice_servers), ice_policy, video_codec),
    )
    try:
        await call._enter(stats_interval)
        yield call
    finally:
        # Shielded: a cancelled task leaves the room as well as any other.
        await asyncio.shield(call.leave())


class Call:
    """A room that we are in. Iterate it for events; each iteration begins with the first one."""

    def __init__(
        self,
        signaling: Signaling,
        sources: Sources,
        *,
        bitrates: Mapping[Kind, int | None],
        config: ConnectionConfig,
    ) -> None:
        self.id = ""
        self.created = False
        self._signaling = signaling
        self._sources = sources
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._entered = self._loop.time()
        self._joined = self._entered
        self._arrived: dict[str, float] = {}
        self._log = EventLog()
        self._publications: dict[Kind, Publication] = {
            source.kind: Publication(
                source, bitrate=bitrates[source.kind], on_end=self._on_source_end
            )
            for source in (sources.video, sources.audio)
            if source is not None
        }
        self._mesh: Mesh | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving: asyncio.Task[None] | None = None

    @property
    def room(self) -> Room | None:
        """The room as it was when we joined; None with a signaling of one's own."""
        return getattr(self._signaling, "room", None)

    @property
    def peers(self) -> Mapping[str, Peer]:
        """Everybody else in the room by client id, live."""
        return MappingProxyType(self._mesh.peers if self._mesh is not None else {})

    # Every member has a connection of its own, so the two are the same people.
    members = peers

    async def __aiter__(self) -> AsyncIterator[events.Event]:
        async for event in self._log:
            yield event

    async def wait_for(self, event_type: type[E], timeout: float | None = None, **fields: Any) -> E:
        """The first event of a type whose fields are as given, also one that has happened already.

        Raises `TimeoutError`, and `RoomcallError` where the call ends without it.
        """
        async with asyncio.timeout(timeout):
            async for event in self._log:
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

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Statistics of all peers by client id, with the names of W3C webrtc-stats."""
        return await self._mesh.stats() if self._mesh is not None else {}

    async def leave(self, reason: str = "left") -> None:
        """Leave the room and end everything that belongs to the call. May be called again."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(reason), name="roomcall-leave")
        await asyncio.shield(self._leaving)

    async def _enter(self, stats_interval: float | None) -> None:
        allow_loopback_only()
        self.id = await self._signaling.connect()
        offered = getattr(self._signaling, "ice_servers", [])
        config = ConnectionConfig(
            (*offered, *self._config.ice_servers), self._config.ice_policy, self._config.video_codec
        )
        self._mesh = Mesh(
            PeerContext(self.id, config, self._publications, self._signaling.send, self)
        )
        self._entered = self._joined = self._loop.time()
        self.created = getattr(self._signaling, "created", False)
        self._emit(events.Joined, id=self.id, room=self.room, created=self.created)
        # The signaling will say so too; but whoever has joined looks at `peers` at once.
        for member in self.room.members if self.room is not None else ():
            if member.id != self.id:
                self._on_signaling(MemberHere(member.id, member.display_name, before=True))
        for publication in self._publications.values():
            publication.start()
        self._spawn(self._follow())
        if stats_interval is not None:
            self._spawn(self._report_stats(stats_interval))

    def _spawn(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work, name="roomcall-call"))

    async def _leave(self, reason: str) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # The server first: so the others hear of a leave before the connections close.
        with contextlib.suppress(RoomcallError):
            await self._signaling.close()
        if self._mesh is not None:
            await self._mesh.close()
        for publication in self._publications.values():
            await publication.close()
        await self._sources.close()
        if self.id:
            self._emit(events.Left, reason=reason, seconds=self._loop.time() - self._joined)
        self._log.end()

    def _emit(self, event_type: Callable[..., events.Event], **fields: Any) -> None:
        now = self._loop.time()
        self._log.append(event_type(time=datetime.now(UTC), t=now - self._entered, **fields))

    async def _follow(self) -> None:
        """What the signaling says, for as long as it lasts."""
        try:
            async for event in self._signaling:
                self._on_signaling(event)
            reason = "left"
        except Refused as error:
            self._emit(events.WarningIssued, message=str(error))
            reason = "removed"
        except ServerUnreachable as error:
            self._emit(events.WarningIssued, message=str(error))
            reason = "server-lost"
        self._leave_soon(reason)

    def _leave_soon(self, reason: str) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave(reason), name="roomcall-leave")

    def _on_source_end(self) -> None:
        if all(publication.ended for publication in self._publications.values()):
            self._leave_soon("source-ended")

    def _on_signaling(self, event: Any) -> None:
        assert self._mesh is not None
        match event:
            case MemberHere(id, name, before):
                if peer := self._mesh.arrive(id, name, before=before):
                    self._arrived[id] = self._loop.time()
                    self._emit(events.MemberJoined, peer=peer, name=name)
            case MemberGone(id, reason):
                if peer := self._mesh.depart(id):
                    del self._arrived[id]
                    self._emit(events.MemberLeft, peer=peer, name=peer.name, reason=reason)
                    self._emit(events.PeerLeft, peer=peer, name=peer.name, reason=reason)
            case Signal(sender, message):
                self._mesh.signal(sender, message)
            case replies.ChatMessage():
                self._on_chat(event)
            case replies.HostChanged(room_id=room_id, host=host):
                self._emit(events.HostChanged, room_id=room_id, host=host)
            case replies.RoomStateChanged(room_id=room_id, state=state):
                self._emit(events.RoomStateChanged, room_id=room_id, state=state)

    def _on_chat(self, message: replies.ChatMessage) -> None:
        own = message.sender == self.id
        peer = self.peers.get(message.sender)
        self._emit(
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

    async def _report_stats(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            self._emit(events.StatsUpdated, peers=await self.stats())

    # What peers tell (`PeerListener`)

    def peer_connected(self, peer: Peer, seconds: float, pair: SelectedPair) -> None:
        self._emit(
            events.PeerConnected,
            peer=peer,
            name=peer.name,
            seconds=seconds,
            local=pair.local,
            remote=pair.remote,
            protocol=pair.protocol,
        )

    def peer_disconnected(self, peer: Peer) -> None:
        self._emit(events.PeerDisconnected, peer=peer, name=peer.name)

    def peer_failed(self, peer: Peer, reason: str) -> None:
        self._emit(events.PeerFailed, peer=peer, name=peer.name, reason=reason)

    def peer_hung_up(self, peer: Peer, reason: str) -> None:
        self._emit(events.WarningIssued, message=f"{peer.name or peer.id} hung up: {reason}")

    def track_added(self, peer: Peer, track: "RemoteTrack") -> None:
        self._emit(
            events.TrackAdded,
            peer=peer,
            name=peer.name,
            kind=track.kind,
            codec=track.codec,
            track=track,
        )

    def first_frame(self, peer: Peer, kind: Kind, size: tuple[int, int] | None) -> None:
        width, height = size or (None, None)
        since = max(self._joined, self._arrived.get(peer.id, self._joined))
        self._emit(
            events.FirstFrame,
            peer=peer,
            name=peer.name,
            kind=kind,
            seconds=self._loop.time() - since,
            width=width,
            height=height,
        )

    def warn(self, message: str) -> None:
        self._emit(events.WarningIssued, message=message)
