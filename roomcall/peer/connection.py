"""One `RTCPeerConnection`: descriptions in and out, tracks of ours on it, tracks of theirs tapped.

The shape of our SDP: one audio and one video transceiver, in that order, `sendrecv` where there is
something to send and else `recvonly`, one data channel, all bundled. Offers of any shape are
answered in their own order.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from ..media.encoder import EncodedPacket
from ..media.fanout import Publication, Subscription
from ..media.source import Kind
from ..stats import Outbound
from . import aiortc_internals as internals

logger = logging.getLogger(__name__)

IcePolicy = Literal["all", "relay"]
VideoCodecChoice = Literal["auto", "h264", "vp8"]

DATA_CHANNEL = "roomcall"
CLOSE_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """What all connections of a call have in common. `ice_servers` is W3C `RTCIceServer[]`."""

    ice_servers: Sequence[Mapping[str, Any]] = ()
    ice_policy: IcePolicy = "all"
    video_codec: VideoCodecChoice = "auto"


@dataclass(frozen=True, slots=True)
class ConnectionListener:
    """What a connection tells, on the event loop."""

    on_connected: Callable[[internals.SelectedPair], None]
    on_closed: Callable[[], None]
    on_failed: Callable[[str], None]
    on_track: Callable[[Kind, str], None]
    tap: Callable[[Kind], internals.ReceiverTap]


class _PacketTrack(MediaStreamTrack):
    """A subscription in the clothes of an aiortc track, whose sender only packs what it gets."""

    def __init__(self, publication: Publication, outbound: Outbound) -> None:
        super().__init__()
        self.kind = publication.kind
        self._publication = publication
        self._outbound = outbound
        self._subscription: Subscription | None = None
        self._stopped = False

    def start(self, codec: str) -> None:
        """The codec is negotiated and sending begins."""
        if self._subscription is None and not self._stopped:
            self._subscription = self._publication.subscribe(codec)

    async def recv(self) -> EncodedPacket:
        assert self._subscription is not None, "started before it is read"
        packet = await self._subscription.next()
        self._outbound.frames_sent += 1
        self._outbound.frames_dropped = self._subscription.dropped
        return packet

    def request_key_frame(self) -> None:
        self._outbound.pli_count += 1
        if self._subscription is not None:
            self._subscription.request_key_frame()

    def count_nack(self, found: int) -> None:
        self._outbound.nack_count += 1
        self._outbound.retransmitted_packets_sent += found

    def stop(self) -> None:
        super().stop()
        self._stopped = True
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None


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
        self._tracks: dict[Kind, _PacketTrack] = {}
        self._tapped: list[RTCRtpTransceiver] = []
        self._announced: set[Kind] = set()
        self._closing = False
        self._pc = RTCPeerConnection(
            RTCConfiguration(
                iceServers=[_ice_server(server) for server in config.ice_servers],
                iceTransportPolicy=RTCIceTransportPolicy(config.ice_policy),
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            )
        )
        self._pc.on("connectionstatechange", self._on_state)
        self._pc.on("error", self._on_error)

    async def offer(self) -> dict[str, str]:
        """Describe what we send and take. Gathers candidates first, so the offer has them all."""
        for kind in ("audio", "video"):
            self._add_transceiver(kind)
        self._pc.createDataChannel(DATA_CHANNEL)
        await self._pc.setLocalDescription()
        return _description(self._pc)

    async def answer(self, sdp: str) -> dict[str, str]:
        """Take an offer, new or to this connection, and answer it. Raises where it is not SDP."""
        if not self._pc.getTransceivers():
            # With all media in one bundle aiortc needs its transceivers in the offer's order.
            for kind in re.findall(r"^m=(audio|video) ", sdp, re.MULTILINE):
                self._add_transceiver(kind)
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self._pc.setLocalDescription()
        self._after_negotiation()
        return _description(self._pc)

    async def accept(self, sdp: str) -> None:
        """Take the answer to our offer. Raises where it does not fit."""
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self._after_negotiation()

    async def add_candidate(self, payload: Mapping[str, Any]) -> None:
        """A remote candidate; raises `ValueError` where it is none."""
        text = payload["candidate"].removeprefix("a=").removeprefix("candidate:")
        if not text:
            await self._pc.addIceCandidate(None)
            return
        if len(text.split()) < 8:
            raise ValueError(f"not a candidate: {text[:80]}")
        candidate = candidate_from_sdp(text)
        candidate.sdpMid = payload.get("sdpMid")
        candidate.sdpMLineIndex = payload.get("sdpMLineIndex")
        if candidate.sdpMid is None and candidate.sdpMLineIndex is None:
            candidate.sdpMLineIndex = 0
        if candidate.protocol.lower() == "udp":  # we have no ICE over TCP (RFC 6544)
            await self._pc.addIceCandidate(candidate)

    async def request_key_frame(self, kind: Kind) -> bool:
        """Ask the peer for a whole picture."""
        for transceiver in self._tapped:
            if transceiver.kind == kind:
                return await internals.request_key_frame(transceiver.receiver)
        return False

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
        """Give everything back. Bounded in time, whatever state aiortc is in."""
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._pc.close()
        except Exception:
            logger.warning("a connection could not be closed in good order", exc_info=True)
        for track in self._tracks.values():
            track.stop()

    def _add_transceiver(self, kind: Kind) -> None:
        publication = self._publications.get(kind)
        if publication is None or kind in self._tracks:
            transceiver = self._pc.addTransceiver(kind, direction="recvonly")
        else:
            outbound = self.outbound[kind] = Outbound(kind)
            track = self._tracks[kind] = _PacketTrack(publication, outbound)
            transceiver = self._pc.addTransceiver(track, direction="sendrecv")
            _start_with_codec(transceiver.sender, track)
            internals.tap_sender(
                transceiver.sender,
                internals.SenderTap(track.request_key_frame, track.count_nack),
            )
        if kind == "video":
            transceiver.setCodecPreferences(_preferences(self._config.video_codec))
        self._tap(transceiver)

    def _tap(self, transceiver: RTCRtpTransceiver) -> None:
        first = all(other.kind != transceiver.kind for other in self._tapped)
        self._tapped.append(transceiver)
        tap = self._listener.tap(_kind(transceiver)) if first else _DISCARD
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
        if self._closing:
            return
        if state == "connected":
            pair = internals.selected_pair(self._pc)
            assert pair is not None, "a connected transport has a pair"
            self._listener.on_connected(pair)
        elif state == "failed":
            ice_failed = self._pc.iceConnectionState == "failed"
            self._listener.on_failed("no ICE path" if ice_failed else "the DTLS handshake failed")
        elif state == "closed":
            self._listener.on_closed()


_DISCARD = internals.ReceiverTap(
    on_packet=lambda *_: None,
    on_frame=lambda *_: None,
    on_report=lambda *_: None,
    on_end=lambda: None,
)


def _kind(transceiver: RTCRtpTransceiver) -> Kind:
    return "video" if transceiver.kind == "video" else "audio"


def _start_with_codec(sender: RTCRtpSender, track: _PacketTrack) -> None:
    """Subscribe the track in the codec that `sender.send` is told, just before it is read."""
    send = sender.send

    async def send_in_codec(parameters: Any) -> None:
        track.start(parameters.codecs[0].name)
        await send(parameters)

    sender.send = send_in_codec  # type: ignore[method-assign]


def _preferences(choice: VideoCodecChoice) -> list[RTCRtpCodecCapability]:
    """All codecs, the chosen one first. H.264 is our default: x264 is the faster encoder."""
    first = "video/vp8" if choice == "vp8" else "video/h264"
    codecs: Iterable[RTCRtpCodecCapability] = RTCRtpSender.getCapabilities("video").codecs
    return sorted(codecs, key=lambda codec: codec.mimeType.lower() != first)


def _ice_server(server: Mapping[str, Any]) -> RTCIceServer:
    return RTCIceServer(
        urls=server["urls"],
        username=server.get("username"),
        credential=server.get("credential"),
    )


def _description(pc: RTCPeerConnection) -> dict[str, str]:
    """W3C `RTCSessionDescriptionInit`."""
    description = pc.localDescription
    return {"type": description.type, "sdp": description.sdp}
