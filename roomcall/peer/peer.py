"""One other member: its negotiation, its connection, and what comes from it."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..media.fanout import Publication
from ..media.source import Kind
from . import negotiation as n
from .aiortc_internals import SelectedPair
from .connection import Connection, ConnectionConfig, ConnectionListener
from .listener import PeerListener
from .reception import Reception
from .track import RemoteTrack

logger = logging.getLogger(__name__)

PeerState = Literal["connecting", "connected", "disconnected", "failed", "closed"]

MAX_PENDING_SIGNALS = 256  # of one peer; what comes beyond is dropped, and a warning says so


@dataclass(frozen=True, slots=True)
class PeerContext:
    """What all peers of a call share."""

    own_id: str
    config: ConnectionConfig
    publications: Mapping[Kind, Publication]
    send: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    listener: PeerListener


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
        self._negotiation = n.Negotiation(context.own_id, id, offers_first)
        self._connection: Connection | None = None
        self._offered_at = self._loop.time()
        self._reception = Reception(self, context.listener, self._request_key_frame)
        self._inbox: asyncio.Queue[Callable[[], list[n.Effect]]] = asyncio.Queue(
            MAX_PENDING_SIGNALS
        )
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._run(), name=f"roomcall-peer-{id}")

    @property
    def video(self) -> RemoteTrack | None:
        return self._reception.tracks.get("video")

    @property
    def audio(self) -> RemoteTrack | None:
        return self._reception.tracks.get("audio")

    def __repr__(self) -> str:
        return f"<Peer {self.name or self.id} {self.state}>"

    def signal(self, message: Mapping[str, Any]) -> None:
        """A signal of this peer has come."""
        type, payload = message.get("type"), message.get("payload")
        if isinstance(type, str):
            payload = payload if isinstance(payload, Mapping) else {}
            self._post(lambda: self._negotiation.signal(type, payload, _call_id()))

    async def stats(self) -> dict[str, Any]:
        """W3C statistics of what goes and comes: `roundTripTime`, and for `video` and `audio`
        `inbound` and `outbound`, each where there is one."""
        result: dict[str, Any] = {}
        inbound, outbound = self._reception.inbound, {}
        if self._connection is not None:
            await self._connection.update_outbound()
            outbound = self._connection.outbound
        for kind in ("video", "audio"):
            section = {}
            if kind in inbound:
                section["inbound"] = inbound[kind].report(self._loop.time())
            if kind in outbound:
                section["outbound"] = outbound[kind].report()
            if section:
                result[kind] = section
        trips = [o.round_trip_time for o in outbound.values() if o.round_trip_time is not None]
        return {"roundTripTime": round(min(trips), 6) if trips else None} | result

    async def reconnect(self) -> None:
        """Give the connection up and make a new one."""
        self._post(lambda: self._negotiation.offer(_call_id()))

    async def close(self) -> None:
        """The member has left, or we have. Its tracks end."""
        self.state = "closed"
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._set_timer(None)
        await self._drop()
        self._reception.end()

    # Negotiation: one step at a time, in order, so that no two descriptions are in work at once.

    def _post(self, step: Callable[[], list[n.Effect]]) -> None:
        try:
            self._inbox.put_nowait(step)
        except asyncio.QueueFull:
            self._context.listener.warn(
                f"{self.name or self.id} sends signals too fast: one is lost"
            )

    async def _run(self) -> None:
        await self._carry_out(self._negotiation.start(_call_id()))
        while True:
            step = await self._inbox.get()
            await self._carry_out(step())

    async def _carry_out(self, effects: list[n.Effect]) -> None:
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

    async def _carry_out_one(self, effect: n.Effect) -> None:
        match effect:
            case n.Offer(call_id):
                self._offered_at = self._loop.time()
                self.state = "connecting"
                connection = await self._replace()
                await self._send("offer", await connection.offer() | {"callId": call_id})
            case n.Answer(sdp, call_id, replace):
                if replace or self._connection is None:
                    self._offered_at = self._loop.time()
                    self.state = "connecting"
                    await self._replace()
                assert self._connection is not None
                answer: dict[str, Any] = await self._connection.answer(sdp)
                if call_id is not None:
                    answer["callId"] = call_id
                await self._send("answer", answer)
            case n.Accept(sdp) if self._connection is not None:
                await self._connection.accept(sdp)
            case n.AddCandidate(candidate) if self._connection is not None:
                with contextlib.suppress(ValueError, AssertionError):  # a bad candidate is no loss
                    await self._connection.add_candidate(candidate)
            case n.Send(type, payload):
                await self._send(type, payload)
            case n.Drop():
                await self._drop()
            case n.Report(state, reason):
                self._report(state, reason)
            case n.SetTimer(seconds):
                self._set_timer(seconds)

    def _report(self, state: str, reason: str) -> None:
        if state == "failed":
            self.state = "failed"
            self._context.listener.peer_failed(self, reason)
        else:
            self.state = "closed"
            self._context.listener.peer_hung_up(self, reason)

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
        await self._drop()
        connection: Connection | None = None

        def current(callback: Callable[..., None]) -> Callable[..., None]:
            """What an old connection still says does not count."""

            def guarded(*arguments: Any) -> None:
                if connection is not None and self._connection is connection:
                    callback(*arguments)

            return guarded

        connection = self._connection = Connection(
            self._context.config,
            self._context.publications,
            ConnectionListener(
                on_connected=current(self._on_connected),
                on_closed=current(self._on_closed),
                on_failed=current(lambda why: self._post(lambda: self._negotiation.failed(why))),
                on_track=current(self._reception.add_track),
                tap=self._reception.tap,
            ),
        )
        return connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _on_connected(self, pair: SelectedPair) -> None:
        self.state = "connected"
        self._post(self._negotiation.connected)
        self._context.listener.peer_connected(self, self._loop.time() - self._offered_at, pair)

    def _on_closed(self) -> None:
        if self.state == "connected":
            self.state = "disconnected"
            self._context.listener.peer_disconnected(self)
        self._post(self._negotiation.closed_remotely)

    async def _request_key_frame(self, kind: Kind) -> bool:
        return self._connection is not None and await self._connection.request_key_frame(kind)


def _call_id() -> str:
    return uuid.uuid4().hex
