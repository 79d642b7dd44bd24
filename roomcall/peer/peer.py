"""One other member: its negotiation, its connection, and what comes from it."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from aiortc import RTCDataChannel

from .. import stats
from ..errors import NoMediaPath, RoomcallError
from ..media.source import Kind
from . import effects as e
from .connection import DATA_CHANNEL, Connection, ConnectionListener
from .context import PeerContext
from .datachannel import DataChannel
from .internals import SelectedPair
from .negotiation import Negotiation
from .playout import PlayoutClock
from .reception import Reception
from .steps import Steps
from .succession import Succession
from .track import RemoteTrack

logger = logging.getLogger(__name__)

PeerState = Literal["connecting", "connected", "disconnected", "failed", "closed"]

RECONNECT_TIMEOUT = 30.0  # seconds


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
        self._connections = Succession()
        self._offered_at = self._loop.time()
        self._reception = Reception(
            self,
            context.listener,
            self._request_key_frame,
            measure=context.measure,
            watch=context.watch,
        )
        self._tried = ""  # by the connection that was dropped last
        self._looking: list[asyncio.Future[bool]] = []
        self._steps = Steps(
            lambda: self._negotiation.start(_call_id()),
            self._carry_out,
            self._on_too_many,
            f"roomcall-peer-{id}",
        )

    @property
    def _connection(self) -> Connection | None:
        return self._connections.current

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
            self._steps.post(lambda: self._negotiation.signal(type, payload, _call_id()))

    async def stats(self) -> dict[str, Any]:
        """W3C statistics of what goes and comes: `roundTripTime` in seconds (by RTCP, else by ICE),
        `candidatePair`, and for `video` and `audio` `inbound` and `outbound`, each where there is
        one. In a call with a `stats_interval`, of a peer that sends `testsrc` on this machine's
        clock also `latency` and `avOffset` (seconds; positive where the sound is late),
        `framesLost` and `freezes`; in one with `watch`, `content`: `black`, `frozen` and `silent`,
        each where it is known."""
        outbound: Mapping[Kind, stats.Outbound] = {}
        pair = None
        if self._connection is not None:
            await self._connection.update_outbound()
            outbound, pair = self._connection.outbound, self._connection.candidate_pair()
        told = stats.of_peer(self._reception.inbound, outbound, pair, self._loop.time())
        return told | self._reception.measured()

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
        channel = self._connections.add_channel(made, self._on_data)
        await channel.opened()
        return channel

    def _on_channel(self, made: RTCDataChannel) -> None:
        channel = self._connections.add_channel(made, self._on_data)
        self._context.listener.channel_opened(self, channel)

    def _on_data(self, channel: DataChannel, data: str | bytes) -> None:
        self._context.listener.data_received(self, channel.label, data)

    async def reconnect(self) -> None:
        """Look for a new path while media goes on over the old one; where there is no connection,
        make a new one. Returns when it is in use. Raises `NoMediaPath` where none was found."""
        found: asyncio.Future[bool] = self._loop.create_future()
        self._looking.append(found)
        self._steps.post(lambda: self._negotiation.reconnect(_call_id()))
        try:
            async with asyncio.timeout(RECONNECT_TIMEOUT):
                if await found:
                    return
        except TimeoutError:
            pass
        finally:
            self._looking.remove(found)
        raise NoMediaPath(self, f"no path to {self.name or self.id} was found — try again")

    def renew_relay(self) -> None:
        """Where media goes over a TURN server, move to an allocation with new credentials."""
        pair = self._connection.candidate_pair() if self._connection is not None else None
        if pair is not None and pair["localCandidateType"] == "relay":
            self._steps.post(self._negotiation.restart)

    def send_what_is_published(self) -> None:
        """What was not sent so far: with another offer, where there is a connection."""

        def offer() -> list[e.Effect]:
            if self._connection is None or not self._connection.send_what_is_published():
                return []
            return self._negotiation.restart()

        self._steps.post(offer)

    def signaling_back(self, gap: bool) -> None:
        """Signals had been held up, and are no more; with a `gap` some are lost."""
        self._steps.post(lambda: self._negotiation.signaling_back(_call_id() if gap else None))

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
        await self._steps.stop()
        await self._connections.close()
        await self._context.publications.let_go(self)
        await self._reception.end()
        self._found(False)

    # Negotiation

    def _on_too_many(self) -> None:
        self._context.listener.warn(f"{self.name or self.id} sends signals too fast: one is lost")

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
                await self._connections.close()
            case e.DropReplaced():
                await self._connections.close_old()
            case e.Report(state, reason):
                self._report(state, reason)
            case e.SetTimer(seconds):
                self._steps.set_timer(seconds, lambda: self._negotiation.timer(_call_id()))

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

    async def _send(self, type: str, payload: Mapping[str, Any]) -> None:
        await self._context.send(self.id, {"type": type, "payload": payload})

    # The connection

    async def _replace(self) -> Connection:
        """A new connection."""
        await self._connections.step_aside(living=self.state == "connected")
        self.state = "connecting"
        current = self._connections.while_current
        connection = self._connections.current = Connection(
            self._context.config,
            self._context.publications.of(self),
            ConnectionListener(
                on_connected=current(self._on_connected),
                on_closed=current(self._on_closed),
                on_failed=current(
                    lambda why: self._steps.post(lambda: self._negotiation.failed(why))
                ),
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

    def _on_connected(self, pair: SelectedPair) -> None:
        self.state = "connected"
        self._steps.post(self._negotiation.connected)
        self._connections.retire_old_soon(lambda: self._steps.post(lambda: [e.DropReplaced()]))
        self._found(True)
        self.send_what_is_published()  # it may have begun meanwhile
        self._context.listener.peer_connected(self, self._loop.time() - self._offered_at, pair)

    def _on_consent(self, given: bool) -> None:
        self._steps.post(self._negotiation.path_back if given else self._negotiation.path_lost)
        if given:
            self._renew_picture()

    def _on_restarted(self, found: bool) -> None:
        self._steps.post(lambda: self._negotiation.restarted(found))
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

        self._steps.post(tell)

    def _on_failed(self, why: str) -> None:
        self._steps.post(lambda: self._negotiation.failed(why))

    def _on_closed(self) -> None:
        if self.state == "connected":
            self.state = "disconnected"
            self._context.listener.peer_disconnected(self)
        self._steps.post(self._negotiation.closed_remotely)

    async def _request_key_frame(self, kind: Kind) -> bool:
        return self._connection is not None and await self._connection.request_key_frame(kind)


def _with_call_id(payload: Mapping[str, Any], call_id: str | None) -> dict[str, Any]:
    return {**payload} if call_id is None else {**payload, "callId": call_id}


def _call_id() -> str:
    return uuid.uuid4().hex
