"""One `RTCPeerConnection`: descriptions in and out, tracks of ours on it, tracks of theirs tapped.

The shape of our SDP: one audio and one video transceiver, in that order, `sendrecv` where there is
something to send and else `recvonly`, one data channel, all bundled. Offers of any shape are
answered in their own order.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aioice import Candidate
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCSessionDescription,
)

from ..media.fanout import Publication
from ..media.source import Kind
from ..stats import Outbound
from . import internals, sdp, sections
from .transceivers import Transceivers, VideoCodecChoice

logger = logging.getLogger(__name__)

DATA_CHANNEL = "roomcall"
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970: aiortc numbers its descriptions by NTP
CLOSE_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """What all connections of a call have in common."""

    ice: internals.IceSettings
    video_codec: VideoCodecChoice = "auto"


@dataclass(frozen=True, slots=True)
class ConnectionListener:
    """What a connection tells, on the event loop.

    `on_doubt`: the other end has not answered for a moment. `on_consent`: whether it still answers
    on the path. `on_candidate`: one of ours
    (`RTCIceCandidateInit`) that was found after its description. `on_restarted`: whether a new
    generation of ICE has found a path, which is in use then. `on_told`: what our counterpart says.
    `on_channel`: a data channel that the other end has opened.
    """

    on_connected: Callable[[internals.SelectedPair], None]
    on_closed: Callable[[], None]
    on_failed: Callable[[str], None]
    on_track: Callable[[Kind, str], None]
    on_doubt: Callable[[], None]
    on_consent: Callable[[bool], None]
    on_candidate: Callable[[Mapping[str, Any]], None]
    on_restarted: Callable[[bool], None]
    on_told: Callable[[Mapping[str, Any]], None]
    on_channel: Callable[[RTCDataChannel], None]
    tap: Callable[[Kind], internals.ReceiverTap]


class Connection:
    """The media path to one peer. Made for one negotiation; a new one takes its place."""

    def __init__(
        self,
        config: ConnectionConfig,
        publications: Mapping[Kind, Publication],
        listener: ConnectionListener,
    ) -> None:
        self._config = config
        self._listener = listener
        self._rejected: dict[int, sections.Section] = {}  # of the last description, by place
        self._closing: asyncio.Task[None] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._channel: RTCDataChannel | None = None
        self._offered: frozenset[Kind] = frozenset()  # what our last offer says that we send anew
        # The servers are for our own ICE agent; aiortc would ask one of Google's if it had none.
        self._pc = internals.PeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        internals.accept_rsa(self._pc)
        self._transceivers = Transceivers(self._pc, publications, config.video_codec, listener.tap)
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("datachannel", self._hear)
        self._pc.on("error", self._on_error)

    @property
    def outbound(self) -> dict[Kind, Outbound]:
        return self._transceivers.outbound

    async def offer(self) -> dict[str, str]:
        """Describe what we send and take. Candidates that take their time are told later."""
        with internals.ice_settings(self._config.ice):
            self._transceivers.begin()
            self._hear(self._pc.createDataChannel(DATA_CHANNEL))
        self._listen()
        await self._pc.setLocalDescription()
        return self._description("offer")

    async def answer(self, offer: str) -> dict[str, str]:
        """Take an offer, new or to this connection, and answer it. Raises where it is not SDP."""
        await self._take(offer)
        return self._answer()

    async def accept(self, answer: str) -> None:
        """Take the answer to our offer. Raises where it does not fit."""
        theirs = self._read(answer)
        await self._transceivers.prepare(theirs)
        text = sections.accepted(answer, self._pc.localDescription.sdp)
        await self._apply(text, "answer")
        await self._settle(theirs)

    async def restart_offer(self) -> dict[str, str]:
        """Begin a new generation of ICE, and describe it, and what we send since the last offer.

        aiortc has no rollback: it hears of the offer when it is answered.
        """
        agent = internals.ice_agent(self._pc)
        await self._end_restart()
        await agent.begin_restart()
        text = sdp.restart_offer(
            self._pc.localDescription.sdp,
            agent.local_username,
            agent.local_password,
            [candidate.to_sdp() for candidate in agent.local_candidates],
            complete=agent.newest.complete,
            version=int(time.time()) + _NTP_EPOCH,
        )
        self._offered = frozenset(self._transceivers.untold)
        text = sections.with_directions(text, self._transceivers.directions())
        return {"type": "offer", "sdp": sections.with_rejected(text, self._rejected)}

    async def abandon_restart(self) -> None:
        """The last offer of `restart_offer` was not taken."""
        await internals.ice_agent(self._pc).abandon_restart()

    async def accept_restart(self, answer: str) -> None:
        """Take the answer to `restart_offer`, and look for a path. Raises where it does not fit."""
        await self._end_restart()
        # It may change directions as well. To aiortc, which knows nothing of our offer, it is one.
        await self._take(answer)
        self._transceivers.untold -= self._offered
        self._connect_restart(answer)

    async def answer_restart(self, offer: str) -> dict[str, str]:
        """Begin a new generation for an offer's, describe it, and look for a path."""
        await self._end_restart()
        await internals.ice_agent(self._pc).begin_restart()
        await self._take(offer)
        self._connect_restart(offer)
        return self._answer()

    def _answer(self) -> dict[str, str]:
        self._transceivers.untold.clear()
        return self._description("answer")

    def _read(self, theirs: str) -> list[sections.Section]:
        found = sections.read(theirs)
        self._rejected = {place: each for place, each in enumerate(found) if each.rejected}
        return found

    async def _take(self, theirs: str) -> None:
        """Apply a description of theirs as an offer, whose answer is our local description then."""
        living = [section for section in self._read(theirs) if not section.rejected]
        with internals.ice_settings(self._config.ice):
            await self._transceivers.prepare(living)
            await self._apply(sections.living(theirs), "offer")
        self._listen()
        await self._pc.setLocalDescription()
        await self._settle(living)

    async def _apply(self, theirs: str, type: str) -> None:
        ice = sdp.ice_of(theirs)
        text = sdp.without_candidates(theirs)  # aiortc would wait for the names of mDNS
        await self._pc.setRemoteDescription(RTCSessionDescription(text, type))
        agent = internals.ice_agent(self._pc)
        for candidate in ice.candidates:
            await self._add(agent, candidate)
        if ice.complete:
            await agent.add_remote_candidate(None)

    async def _settle(self, theirs: list[sections.Section]) -> None:
        for kind, codec in (await self._transceivers.settle(theirs)).items():
            self._listener.on_track(kind, codec)

    def _connect_restart(self, theirs: str) -> None:
        ice = sdp.ice_of(theirs)
        agent = internals.ice_agent(self._pc)

        async def connect() -> None:
            self._listener.on_restarted(await agent.restart(ice.ufrag, ice.password))

        self._restarting = asyncio.create_task(connect(), name="roomcall-ice-restart")

    async def _end_restart(self) -> None:
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
            self._restarting = None

    async def add_candidate(self, payload: Mapping[str, Any]) -> None:
        """A remote candidate; raises `ValueError` where it is none."""
        text = payload["candidate"].removeprefix("a=").removeprefix("candidate:")
        agent = internals.ice_agent(self._pc)
        if not text:
            return await agent.add_remote_candidate(None)
        await self._add(agent, text)

    async def _add(self, agent: internals.IceAgent, text: str) -> None:
        if len(text.split()) < 8:
            raise ValueError(f"not a candidate: {text[:80]}")
        candidate = Candidate.from_sdp(text)
        if candidate.transport.lower() == "udp":  # we have no ICE over TCP (RFC 6544)
            await agent.add_remote_candidate(candidate)

    def tell(self, message: Mapping[str, Any]) -> None:
        """To the other end's library, on a channel of our own. Lost where that is not open."""
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps(message))

    def open_channel(
        self, label: str, *, ordered: bool, max_retransmits: int | None
    ) -> RTCDataChannel:
        return self._pc.createDataChannel(label, ordered=ordered, maxRetransmits=max_retransmits)

    def _hear(self, channel: RTCDataChannel) -> None:
        if channel.label != DATA_CHANNEL:
            self._listener.on_channel(channel)
            return
        self._channel = channel

        def on_message(data: str | bytes) -> None:
            try:
                message = json.loads(data)
            except ValueError:
                return  # not of our kind
            if isinstance(message, dict):
                self._listener.on_told(message)

        channel.on("message", on_message)

    async def request_key_frame(self, kind: Kind) -> bool:
        """Ask the peer for a whole picture."""
        return await self._transceivers.request_key_frame(kind)

    def candidate_pair(self) -> dict[str, Any] | None:
        """W3C `RTCIceCandidatePairStats` of the pair in use, with the types of its candidates."""
        agent = self._agent()
        if agent is None or (pair := agent.selected) is None:
            return None
        trip = agent.round_trip_time
        return {
            "localCandidateType": pair.local,
            "remoteCandidateType": pair.remote,
            "protocol": pair.protocol,
            "currentRoundTripTime": None if trip is None else round(trip, 6),
        }

    def tried(self) -> str:
        """Between which addresses a path was sought; "" where none was."""
        agent = self._agent()
        return "" if agent is None or self._pc.remoteDescription is None else agent.tried

    def _agent(self) -> internals.IceAgent | None:
        """None where nothing is sent or received, as after a description that offers nothing, or
        after the end."""
        if self._closing is None and (self._pc.getTransceivers() or self._pc.sctp is not None):
            return internals.ice_agent(self._pc)
        return None

    async def update_outbound(self) -> None:
        """Bring `outbound` up to date with what aiortc counts."""
        await self._transceivers.update_outbound()

    async def close(self) -> None:
        """Give everything back. Bounded in time, whatever state aiortc is in; goes on where the
        caller is cancelled, who may call it again."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="roomcall-connection-close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._end_restart()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._pc.close()
        except Exception:
            logger.warning("a connection could not be closed in good order", exc_info=True)
        self._transceivers.close()

    def force_key_frame(self) -> None:
        """What was sent while the path was lost is lost: begin with a whole picture."""
        self._transceivers.force_key_frame()

    def _listen(self) -> None:
        agent = internals.ice_agent(self._pc)
        agent.on_doubt = self._listener.on_doubt
        agent.on_consent = self._listener.on_consent
        agent.on_candidate = self._on_candidate

    def _on_candidate(self, candidate: Candidate | None, ufrag: str) -> None:
        """See RFC 8838 section 4."""
        text = "" if candidate is None else f"candidate:{candidate.to_sdp()}"
        self._listener.on_candidate(
            {
                "candidate": text,
                "sdpMid": self._transceivers.first_mid(),
                "sdpMLineIndex": 0,
                "usernameFragment": ufrag,
            }
        )

    def _description(self, type: str) -> dict[str, str]:
        """W3C `RTCSessionDescriptionInit`."""
        text = sections.with_rejected(self._pc.localDescription.sdp, self._rejected)
        complete = internals.ice_agent(self._pc).newest.complete
        return {"type": type, "sdp": text if complete else sdp.incomplete(text)}

    def send_what_is_published(self) -> bool:
        """Send what was not sent so far; whether that has to be offered to the other end."""
        return self._transceivers.send_what_is_published()

    def _on_error(self, error: Exception) -> None:
        """A listener of ours has raised; without this, it would end what aiortc was about."""
        logger.error("an event could not be taken", exc_info=error)

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if self._closing is not None:
            return
        if state == "connected":
            pair = internals.ice_agent(self._pc).selected
            assert pair is not None, "a connected transport has a pair"
            self._listener.on_connected(pair)
        elif state == "failed":
            ice_failed = self._pc.iceConnectionState == "failed"
            self._listener.on_failed("no ICE path" if ice_failed else "the DTLS handshake failed")
        elif state == "closed":
            self._listener.on_closed()
