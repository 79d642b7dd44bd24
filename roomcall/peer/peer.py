"""One other member: its negotiation, its connection, and what comes from it."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from aiortc import RTCDataChannel

from ..errors import NoMediaPath, RoomcallError
from ..media.fanout import Publication
from ..media.source import Kind
from . import effects as e
from .connection import DATA_CHANNEL, Connection, ConnectionConfig, ConnectionListener
from .datachannel import DataChannel
from .internals import SelectedPair
from .listener import PeerListener
from .negotiation import Negotiation
from .playout import PlayoutClock
from .reception import Reception
from .track import RemoteTrack

logger = logging.getLogger(__name__)

PeerState = Literal["connecting", "connected", "disconnected", "failed", "closed"]

RECONNECT_TIMEOUT = 30.0  # seconds
OLD_STAYS = 2.0  # seconds for which a living connection is kept when its successor is connected
MAX_PENDING_SIGNALS = 256  # of one peer; what comes beyond is dropped, and a warning says so


class Publications(Protocol):
    """What is sent to each peer."""

    def of(self, peer: "Peer") -> Mapping[Kind, Publication]: ...
    async def let_go(self, peer: "Peer") -> None:
        """It is gone: what was for it alone ends."""


@dataclass(frozen=True, slots=True)
class PeerContext:
    """What all peers of a call share."""

    own_id: str
    config: ConnectionConfig
    publications: Publications
    send: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    listener: PeerListener
    on_doubt: Callable[[], None]
    on_told: Callable[["Peer", Mapping[str, Any]], None]
    measure: bool = False
    watch: bool = False


class Peer:
    """Another member of the room, and the connection with it.

    `state` is `connecting`, `connected`, `disconnected`, `failed` or `closed`; `video` and `audio`
    are what it sends, or None.
    """

    def __init__(self, id: str, name: str, context: PeerContext, *, offers_first: bool) -> None:
        self.id = id
        self.name = name
        self.state: PeerState = "connecting"
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._negotiation = Negotiation(context.own_id, id, offers_first)
        self._connection: Connection | None = None
        self._offered_at = self._loop.time()
        self._reception = Reception(
            self,
            context.listener,
            self._request_key_frame,
            measure=context.measure,
            watch=context.watch,
        )
        inbox: asyncio.Queue[Callable[[], list[e.Effect]]] = asyncio.Queue(MAX_PENDING_SIGNALS)
        self._inbox: asyncio.Queue[Callable[[], list[e.Effect]]] | None = inbox
        self._channels: dict[DataChannel, Connection | None] = {}  # and what carries each
        self._old: list[Connection] = []  # to be closed; one may live until its successor does
        self._retiring: asyncio.TimerHandle | None = None
        self._tried = ""  # by the connection that was dropped last
        self._timer: asyncio.TimerHandle | None = None
        self._looking: set[asyncio.Future[bool]] = set()
        self._task: asyncio.Task[None] | None = asyncio.create_task(
            self._run(inbox), name=f"roomcall-peer-{id}"
        )

    @property
    def video(self) -> RemoteTrack | None:
        return self._reception.tracks.get("video")

    @property
    def audio(self) -> RemoteTrack | None:
        return self._reception.tracks.get("audio")

    @property
    def clock(self) -> PlayoutClock:
        """The clock that its picture and sound share."""
        return self._reception.clock

    def __repr__(self) -> str:
        return f"<Peer {self.name or self.id} {self.state}>"

    def signal(self, message: Mapping[str, Any]) -> None:
        """A signal of this peer has come."""
        type, payload = message.get("type"), message.get("payload")
        if isinstance(type, str):
            payload = payload if isinstance(payload, Mapping) else {}
            self._post(lambda: self._negotiation.signal(type, payload, _call_id()))

    async def stats(self) -> dict[str, Any]:
        """W3C statistics of what goes and comes: `roundTripTime` in seconds (by RTCP, else by ICE),
        `candidatePair`, and for `video` and `audio` `inbound` and `outbound`, each where there is
        one. In a call with a `stats_interval`, of a peer that sends `testsrc` on this machine's
        clock also `latency` and `avOffset` (seconds; positive where the sound is late),
        `framesLost` and `freezes`; in one with `watch`, `content`: `black`, `frozen` and `silent`,
        each where it is known."""
        result: dict[str, Any] = {}
        inbound, outbound = self._reception.inbound, {}
        pair = None
        if self._connection is not None:
            await self._connection.update_outbound()
            outbound = self._connection.outbound
            pair = self._connection.candidate_pair()
        for kind in ("video", "audio"):
            section = {}
            if kind in inbound:
                section["inbound"] = inbound[kind].report(self._loop.time())
            if kind in outbound:
                section["outbound"] = outbound[kind].report()
            if section:
                result[kind] = section
        trips = [o.round_trip_time for o in outbound.values() if o.round_trip_time is not None]
        if not trips and pair is not None and pair["currentRoundTripTime"] is not None:
            trips = [pair["currentRoundTripTime"]]
        trip = round(min(trips), 6) if trips else None
        result |= {"roundTripTime": trip, "candidatePair": pair}
        return result | self._reception.measured()

    async def open_channel(
        self, label: str, ordered: bool = True, max_retransmits: int | None = None
    ) -> DataChannel:
        """A data channel, when it is open. Raises `RoomcallError` where there is no connection."""
        if self._connection is None or label == DATA_CHANNEL:
            why = "not connected" if self._connection is None else "the label is our own"
            raise RoomcallError(f"no channel {label} to {self.name or self.id}: {why} — try again")
        made = self._connection.open_channel(
            label, ordered=ordered, max_retransmits=max_retransmits
        )
        channel = self._add_channel(made)
        await channel.opened()
        return channel

    def _add_channel(self, made: RTCDataChannel) -> DataChannel:
        def on_message(data: str | bytes) -> None:
            self._context.listener.data_received(self, channel.label, data)

        channel = DataChannel(made, on_message)
        self._channels[channel] = self._connection
        return channel

    def _on_channel(self, made: RTCDataChannel) -> None:
        self._context.listener.channel_opened(self, self._add_channel(made))

    async def reconnect(self) -> None:
        """Look for a new path while media goes on over the old one; where there is no connection,
        make a new one. Returns when it is in use. Raises `NoMediaPath` where none was found."""
        found: asyncio.Future[bool] = self._loop.create_future()
        self._looking.add(found)
        self._post(lambda: self._negotiation.reconnect(_call_id()))
        try:
            async with asyncio.timeout(RECONNECT_TIMEOUT):
                if await found:
                    return
        except TimeoutError:
            pass
        finally:
            self._looking.discard(found)
        raise NoMediaPath(self, f"no path to {self.name or self.id} was found — try again")

    def renew_relay(self) -> None:
        """Where media goes over a TURN server, move to an allocation with new credentials."""
        pair = self._connection.candidate_pair() if self._connection is not None else None
        if pair is not None and pair["localCandidateType"] == "relay":
            self._post(self._negotiation.restart)

    def send_what_is_published(self) -> None:
        """What was not sent so far: with another offer, where there is a connection."""

        def offer() -> list[e.Effect]:
            if self._connection is None or not self._connection.send_what_is_published():
                return []
            return self._negotiation.restart()

        self._post(offer)

    def signaling_back(self) -> None:
        """Signals had been held up, and are no more."""
        self._post(self._negotiation.signaling_back)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Something to its counterpart of us, over the connection; lost where it cannot be sent."""
        if self._connection is not None:
            self._connection.tell(message)

    def rename(self, id: str, context: PeerContext) -> None:
        """The server has given new ids to both; the connection is as it was."""
        self.id = id
        self._context = context
        self._negotiation.own_id, self._negotiation.peer_id = context.own_id, id

    async def close(self) -> None:
        """The member has left, or we have. Its tracks end."""
        self.state = "closed"
        # Events name peers long after they have left: what a peer works with goes now.
        task, self._task, self._inbox = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._set_timer(None)
        await self._drop()
        await self._context.publications.let_go(self)
        await self._reception.end()
        self._found(False)

    # Negotiation: one step at a time, in order, so that no two descriptions are in work at once.

    def _post(self, step: Callable[[], list[e.Effect]]) -> None:
        if self._inbox is None:
            return
        try:
            self._inbox.put_nowait(step)
        except asyncio.QueueFull:
            self._context.listener.warn(
                f"{self.name or self.id} sends signals too fast: one is lost"
            )

    async def _run(self, inbox: asyncio.Queue[Callable[[], list[e.Effect]]]) -> None:
        await self._carry_out(self._negotiation.start(_call_id()))
        while True:
            step = await inbox.get()
            await self._carry_out(step())

    async def _carry_out(self, effects: list[e.Effect]) -> None:
        """Whatever a peer sends, its own connection fails and nothing else."""
        try:
            for effect in effects:
                await self._carry_out_one(effect)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # aiortc raises all sorts of exceptions for descriptions that it cannot take.
            logger.debug("%r cannot go on", self, exc_info=True)
            reason = str(error) or type(error).__name__
            for effect in self._negotiation.failed(f"its description cannot be used: {reason}"):
                await self._carry_out_one(effect)

    async def _carry_out_one(self, effect: e.Effect) -> None:
        match effect:
            case e.Offer(call_id):
                self._offered_at = self._loop.time()
                connection = await self._replace()
                await self._send("offer", _with_call_id(await connection.offer(), call_id))
            case e.Answer(sdp, call_id, replace):
                if replace or self._connection is None:
                    self._offered_at = self._loop.time()
                    await self._replace()
                assert self._connection is not None
                answer = await self._connection.answer(sdp)
                await self._send("answer", _with_call_id(answer, call_id))
            case e.Accept(sdp) if self._connection is not None:
                await self._connection.accept(sdp)
            case e.Restart(call_id) if self._connection is not None:
                offer: dict[str, Any] = await self._connection.restart_offer()
                await self._send("offer", _with_call_id(offer, call_id))
            case e.AbandonRestart() if self._connection is not None:
                await self._connection.abandon_restart()
            case e.AnswerRestart(sdp, call_id) if self._connection is not None:
                answer = await self._connection.answer_restart(sdp)
                await self._send("answer", _with_call_id(answer, call_id))
            case e.AcceptRestart(sdp) if self._connection is not None:
                await self._connection.accept_restart(sdp)
            case e.AddCandidate(candidate) if self._connection is not None:
                with contextlib.suppress(ValueError, AssertionError):  # a bad candidate is no loss
                    await self._connection.add_candidate(candidate)
            case e.Send(type, payload):
                await self._send(type, payload)
            case e.Drop():
                self._tried = "" if self._connection is None else self._connection.tried()
                await self._drop()
            case e.DropReplaced():
                await self._close_old()
            case e.Report(state, reason):
                self._report(state, reason)
            case e.SetTimer(seconds):
                self._set_timer(seconds)

    def _report(self, state: str, reason: str) -> None:
        listener = self._context.listener
        match state:
            case "failed":
                self.state = "failed"
                self._found(False)
                tried = f" ({self._tried})" if self._tried else ""
                listener.peer_failed(self, reason + tried)
            case "closed":
                self.state = "closed"
                self._found(False)
                listener.peer_hung_up(self, reason)
            case "disconnected":
                self.state = "disconnected"
                listener.peer_disconnected(self)
            case "connected":
                self.state = "connected"
                listener.peer_reconnected(self)

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = self._loop.call_later(
                seconds, self._post, lambda: self._negotiation.timer(_call_id())
            )

    async def _send(self, type: str, payload: Mapping[str, Any]) -> None:
        await self._context.send(self.id, {"type": type, "payload": payload})

    # The connection

    async def _replace(self) -> Connection:
        """A new connection. A living one stays beside it for a while, so that no picture stops."""
        if (replaced := self._connection) is not None:
            self._connection = None
            if self.state == "connected":
                await self._close_old()
            self._old.append(replaced)
            if self.state != "connected":
                await self._close(replaced)
        self.state = "connecting"
        connection: Connection | None = None

        def current(callback: Callable[..., None]) -> Callable[..., None]:
            """What an old connection still says does not count."""

            def guarded(*arguments: Any) -> None:
                if connection is not None and self._connection is connection:
                    callback(*arguments)

            return guarded

        connection = self._connection = Connection(
            self._context.config,
            self._context.publications.of(self),
            ConnectionListener(
                on_connected=current(self._on_connected),
                on_closed=current(self._on_closed),
                on_failed=current(lambda why: self._post(lambda: self._negotiation.failed(why))),
                on_track=current(self._reception.add_track),
                on_doubt=current(self._context.on_doubt),
                on_consent=current(self._on_consent),
                on_candidate=current(self._on_candidate),
                on_restarted=current(self._on_restarted),
                on_channel=current(self._on_channel),
                on_told=current(lambda message: self._context.on_told(self, message)),
                tap=self._reception.tap,
            ),
        )
        return connection

    async def _drop(self) -> None:
        if self._connection is not None:
            self._old.append(self._connection)
            self._connection = None
        await self._close_old()

    async def _close_old(self) -> None:
        if self._retiring is not None:
            self._retiring.cancel()
            self._retiring = None
        for connection in list(self._old):
            await self._close(connection)

    async def _close(self, connection: Connection) -> None:
        await connection.close()
        self._old.remove(connection)
        for channel in [c for c, carrier in self._channels.items() if carrier is connection]:
            channel.end()
            del self._channels[channel]

    def _on_connected(self, pair: SelectedPair) -> None:
        self.state = "connected"
        self._post(self._negotiation.connected)
        if self._old and self._retiring is None:
            drop: list[e.Effect] = [e.DropReplaced()]
            self._retiring = self._loop.call_later(OLD_STAYS, self._post, lambda: drop)
        self._found(True)
        self.send_what_is_published()  # it may have begun meanwhile
        self._context.listener.peer_connected(self, self._loop.time() - self._offered_at, pair)

    def _on_consent(self, given: bool) -> None:
        self._post(self._negotiation.path_back if given else self._negotiation.path_lost)
        if given:
            self._renew_picture()

    def _on_restarted(self, found: bool) -> None:
        self._post(lambda: self._negotiation.restarted(found))
        if found:
            self._found(True)
            self._renew_picture()

    def _found(self, found: bool) -> None:
        for waiting in self._looking:
            if not waiting.done():
                waiting.set_result(found)

    def _renew_picture(self) -> None:
        if self._connection is not None:
            self._connection.force_key_frame()

    def _on_candidate(self, candidate: Mapping[str, Any]) -> None:
        """One of ours that was found late: after its description, as all goes in order."""

        def tell() -> list[e.Effect]:
            call_id = self._negotiation.call_id
            return [e.Send("ice-candidate", _with_call_id(candidate, call_id))]

        self._post(tell)

    def _on_closed(self) -> None:
        if self.state == "connected":
            self.state = "disconnected"
            self._context.listener.peer_disconnected(self)
        self._post(self._negotiation.closed_remotely)

    async def _request_key_frame(self, kind: Kind) -> bool:
        return self._connection is not None and await self._connection.request_key_frame(kind)


def _with_call_id(payload: Mapping[str, Any], call_id: str | None) -> dict[str, Any]:
    return {**payload} if call_id is None else {**payload, "callId": call_id}


def _call_id() -> str:
    return uuid.uuid4().hex
