"""One `RTCPeerConnection`: descriptions in and out, tracks of ours on it, tracks of theirs tapped.

The shape of our SDP: one audio and one video transceiver, in that order, `sendrecv` where there is
something to send and else `recvonly`, one data channel, all bundled. Offers of any shape are
answered in their own order.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aioice import Candidate
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from ..media.fanout import Publication
from ..media.source import Kind
from ..stats import Outbound
from . import internals, sdp
from .sending import PacketTrack

logger = logging.getLogger(__name__)

VideoCodecChoice = Literal["auto", "h264", "vp8"]

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
        self.outbound: dict[Kind, Outbound] = {}
        self._config = config
        self._publications = publications
        self._listener = listener
        self._tracks: dict[Kind, PacketTrack] = {}
        self._tapped: list[RTCRtpTransceiver] = []
        self._announced: set[Kind] = set()
        self._closing: asyncio.Task[None] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._channel: RTCDataChannel | None = None
        self._unoffered = False  # we send what the other end does not know of
        self._reoffer: str | None = None  # that says so, and is not answered yet
        # The servers are for our own ICE agent; aiortc would ask one of Google's if it had none.
        self._pc = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("datachannel", self._hear)
        self._pc.on("error", self._on_error)

    async def offer(self) -> dict[str, str]:
        """Describe what we send and take. Candidates that take their time are told later."""
        with internals.ice_settings(self._config.ice):
            for kind in ("audio", "video"):
                self._add_transceiver(kind)
            self._hear(self._pc.createDataChannel(DATA_CHANNEL))
        self._listen()
        await self._pc.setLocalDescription()
        return self._description()

    async def answer(self, offer: str) -> dict[str, str]:
        """Take an offer, new or to this connection, and answer it. Raises where it is not SDP."""
        with internals.ice_settings(self._config.ice):
            if not self._pc.getTransceivers():
                # With all media in one bundle aiortc needs its transceivers in the offer's order.
                for kind in re.findall(r"^m=(audio|video) ", offer, re.MULTILINE):
                    self._add_transceiver(kind)
            await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._listen()
        await self._pc.setLocalDescription()
        self._after_negotiation()
        return self._description()

    async def accept(self, answer: str) -> None:
        """Take the answer to our offer. Raises where it does not fit."""
        await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        self._after_negotiation()

    async def restart_offer(self) -> dict[str, str]:
        """Begin a new generation of ICE, and describe it; and what we send since the last offer.

        aiortc has no rollback: it hears of the offer when it is answered.
        """
        agent = internals.ice_agent(self._pc)
        await self._end_restart()
        await agent.begin_restart()
        described = self._pc.localDescription.sdp
        if self._unoffered:
            described = sdp.with_sending(described, (await self._pc.createOffer()).sdp)
        text = sdp.restart_offer(
            described,
            agent.local_username,
            agent.local_password,
            [candidate.to_sdp() for candidate in agent.local_candidates],
            complete=agent.newest.complete,
            version=int(time.time()) + _NTP_EPOCH,
        )
        self._reoffer = text if self._unoffered else None
        return {"type": "offer", "sdp": text}

    async def accept_restart(self, answer: str) -> None:
        """Look for a path with the answer's generation. Raises `ValueError` where it has none."""
        await self._end_restart()
        if self._reoffer is not None:
            offer, self._reoffer, self._unoffered = self._reoffer, None, False
            await self._pc.setLocalDescription(RTCSessionDescription(offer, "offer"))
            await self.accept(answer)
        self._connect_restart(answer)

    async def answer_restart(self, offer: str) -> dict[str, str]:
        """Begin a new generation for an offer's, and describe it: `connect_restart` comes next."""
        await self._end_restart()
        await internals.ice_agent(self._pc).begin_restart()
        self._reoffer = None
        await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._pc.setLocalDescription()
        self._unoffered = False
        self._after_negotiation()
        self._connect_restart(offer)
        return self._description()

    def _connect_restart(self, theirs: str) -> None:
        ice = sdp.ice_of(theirs)
        agent = internals.ice_agent(self._pc)
        candidates = [Candidate.from_sdp(text) for text in ice.candidates]

        async def connect() -> None:
            found = await agent.restart(ice.ufrag, ice.password, candidates, complete=ice.complete)
            self._listener.on_restarted(found)

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
        for transceiver in self._tapped:
            if transceiver.kind == kind:
                return await internals.request_key_frame(transceiver.receiver)
        return False

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
        """None where nothing is sent or received, as after a description that offers nothing."""
        if self._pc.getTransceivers() or self._pc.sctp is not None:
            return internals.ice_agent(self._pc)
        return None

    async def update_outbound(self) -> None:
        """Bring `outbound` up to date with what aiortc counts."""
        for transceiver in self._pc.getTransceivers():
            kind = _kind(transceiver)
            outbound = self.outbound.get(kind)
            if outbound is None or transceiver.sender.track is not self._tracks[kind]:
                continue
            for report in (await transceiver.sender.getStats()).values():
                if report.type == "outbound-rtp":
                    outbound.packets_sent = report.packetsSent
                    outbound.bytes_sent = report.bytesSent
                elif report.type == "remote-inbound-rtp" and report.roundTripTime is not None:
                    outbound.round_trip_time = report.roundTripTime

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
        for track in self._tracks.values():
            track.stop()

    def force_key_frame(self) -> None:
        """What was sent while the path was lost is lost: begin with a whole picture."""
        if track := self._tracks.get("video"):
            track.request_key_frame()

    def _listen(self) -> None:
        agent = internals.ice_agent(self._pc)
        agent.on_doubt = self._listener.on_doubt
        agent.on_consent = self._listener.on_consent
        agent.on_candidate = self._on_candidate

    def _on_candidate(self, candidate: Candidate | None, ufrag: str) -> None:
        """See RFC 8838 section 4."""
        text = "" if candidate is None else f"candidate:{candidate.to_sdp()}"
        mid = self._pc.getTransceivers()[0].mid if self._pc.getTransceivers() else "0"
        self._listener.on_candidate(
            {
                "candidate": text,
                "sdpMid": mid,
                "sdpMLineIndex": 0,
                "usernameFragment": ufrag,
            }
        )

    def _description(self) -> dict[str, str]:
        """W3C `RTCSessionDescriptionInit`."""
        description = self._pc.localDescription
        complete = internals.ice_agent(self._pc).newest.complete
        text = description.sdp if complete else sdp.incomplete(description.sdp)
        return {"type": description.type, "sdp": text}

    def _add_transceiver(self, kind: Kind) -> None:
        if kind in self._tracks or not self._publications[kind].sends:
            transceiver = self._pc.addTransceiver(kind, direction="recvonly")
        else:
            transceiver = self._pc.addTransceiver(self._make_track(kind), direction="sendrecv")
            self._tracks[kind].send_by(transceiver.sender)
        if kind == "video":
            transceiver.setCodecPreferences(self._video_codecs())
        self._tap(transceiver)

    def _video_codecs(self) -> list[RTCRtpCodecCapability]:
        """All, the chosen one first, else that which the source has already. H.264 is our default:
        x264 is the faster encoder."""
        choice: str = self._config.video_codec
        if self._publications["video"].codec == "":  # what comes is sent back: as it is, if it can
            return []
        if choice == "auto":
            choice = self._publications["video"].codec or "h264"
        codecs: Iterable[RTCRtpCodecCapability] = RTCRtpSender.getCapabilities("video").codecs
        return sorted(codecs, key=lambda codec: codec.mimeType.lower() != f"video/{choice}".lower())

    def _make_track(self, kind: Kind) -> PacketTrack:
        outbound = self.outbound[kind] = Outbound(kind)
        track = self._tracks[kind] = PacketTrack(self._publications[kind], outbound)
        return track

    def send_what_is_published(self) -> bool:
        """Send what was not sent so far; whether that has to be offered to the other end."""
        for transceiver in self._pc.getTransceivers():
            kind = _kind(transceiver)
            if kind not in self._tracks and self._publications[kind].sends:
                track = self._make_track(kind)
                transceiver.sender.replaceTrack(track)
                track.send_by(transceiver.sender)
                transceiver.direction = "sendrecv"
                self._unoffered = True
        return self._unoffered

    def _tap(self, transceiver: RTCRtpTransceiver) -> None:
        first = all(other.kind != transceiver.kind for other in self._tapped)
        self._tapped.append(transceiver)
        tap = self._listener.tap(_kind(transceiver)) if first else internals.ReceiverTap()
        internals.tap_receiver(transceiver.receiver, tap)

    def _after_negotiation(self) -> None:
        for transceiver in self._pc.getTransceivers():
            if transceiver not in self._tapped:
                self._tap(transceiver)
            sends = transceiver.currentDirection in ("recvonly", "sendrecv")
            kind = _kind(transceiver)
            if sends and kind not in self._announced:
                self._announced.add(kind)
                codecs = internals.negotiated_codecs(transceiver)
                self._listener.on_track(kind, codecs[0])

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


def _kind(transceiver: RTCRtpTransceiver) -> Kind:
    return "video" if transceiver.kind == "video" else "audio"
