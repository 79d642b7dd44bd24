"""What each section of a connection carries: what we send, and which of theirs is shown.

We send each kind on one section; of several that a peer sends of a kind, one is shown: the first,
for as long as it is sent. Sections come, end and change with every description.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from aiortc import RTCPeerConnection, RTCRtpCodecCapability, RTCRtpSender, RTCRtpTransceiver

from ..media.fanout import Publication
from ..media.source import Kind
from ..stats import Outbound
from . import internals
from .sections import Section
from .sending import PacketTrack

VideoCodecChoice = Literal["auto", "h264", "vp8"]

KINDS: tuple[Kind, ...] = ("audio", "video")


class Transceivers:
    def __init__(
        self,
        pc: RTCPeerConnection,
        publications: Mapping[Kind, Publication],
        video_codec: VideoCodecChoice,
        tap: Callable[[Kind], internals.ReceiverTap],
    ) -> None:
        self.outbound: dict[Kind, Outbound] = {}
        self.untold: set[Kind] = set()  # we send what no description of ours has said
        self._pc = pc
        self._publications = publications
        self._video_codec = video_codec
        self._tap = tap
        self._taps: dict[RTCRtpTransceiver, internals.TapSwitch] = {}  # of those that live
        self._tracks: dict[Kind, PacketTrack] = {}
        self._carriers: dict[Kind, RTCRtpTransceiver] = {}
        self._shown: dict[Kind, RTCRtpTransceiver] = {}
        self._unasked: list[RTCRtpTransceiver] = []  # shown from now on

    def begin(self) -> None:
        """For an offer of ours: one of each kind."""
        for kind in KINDS:
            transceiver = self._add(kind)
            if self._publications[kind].sends:
                self._carry(kind, transceiver)

    def send_what_is_published(self) -> bool:
        """Send what was not sent so far; whether that has to be offered to the other end."""
        for transceiver in self._taps:
            kind = _kind(transceiver)
            if self._publications[kind].sends and kind not in self._carriers:
                self._carry(kind, transceiver)
                self.untold.add(kind)
        return bool(self.untold)

    async def prepare(self, sections: Sequence[Section]) -> None:
        """Before a description of theirs is applied that has these sections."""
        media = [s for s in sections if s.kind in KINDS and not s.rejected]
        known = {(t.kind, t.mid): t for t in self._taps}
        wanted = {(section.kind, section.mid) for section in media}
        for key, transceiver in known.items():
            if key not in wanted and transceiver.mid is not None:
                await self._retire(transceiver)
        # aiortc takes new transceivers in their order, and needs them there to bundle them.
        pairs = [(s, known.get((s.kind, s.mid)) or self._add(_kind(s))) for s in media]
        places = [place for place, section in enumerate(sections) if section in media]
        for place, (_, transceiver) in zip(places, pairs, strict=True):
            internals.place(transceiver, place)
        for kind in KINDS:
            of_kind = [(s, t) for s, t in pairs if s.kind == kind]
            if of_kind and self._publications[kind].sends and kind not in self._carriers:
                free = [t for s, t in of_kind if s.receives] or [of_kind[0][1]]
                self._carry(kind, free[0])
            self._show(kind, [t for s, t in of_kind if s.sends])

    async def settle(self, sections: Sequence[Section]) -> dict[Kind, str]:
        """After a negotiation, with the sections of their description. Returns the codecs of what
        is sent to us."""
        found = {(t.kind, t.mid): t for t in self._taps}
        for section in sections:
            if transceiver := found.get((section.kind, section.mid)):
                internals.learn_sources(transceiver.receiver, section.sources, section.repairs)
        while self._unasked:
            await internals.request_key_frame(self._unasked.pop().receiver)
        return {
            kind: internals.negotiated_codecs(transceiver)[0]
            for kind, transceiver in self._shown.items()
            if transceiver.currentDirection in ("recvonly", "sendrecv")
        }

    def directions(self) -> dict[str, str]:
        """What we would do on each section, by its mid."""
        return {t.mid: t.direction for t in self._taps if t.mid is not None}

    def first_mid(self) -> str:
        return next((t.mid for t in self._taps if t.mid is not None), "0")

    async def request_key_frame(self, kind: Kind) -> bool:
        """Ask the peer for a whole picture."""
        transceiver = self._shown.get(kind)
        return transceiver is not None and await internals.request_key_frame(transceiver.receiver)

    def force_key_frame(self) -> None:
        """Begin what we send with a whole picture."""
        if track := self._tracks.get("video"):
            track.force_key_frame()

    async def update_outbound(self) -> None:
        """Bring `outbound` up to date with what aiortc counts."""
        for kind, transceiver in self._carriers.items():
            outbound = self.outbound[kind]
            for report in (await transceiver.sender.getStats()).values():
                if report.type == "outbound-rtp":
                    outbound.packets_sent = report.packetsSent
                    outbound.bytes_sent = report.bytesSent
                elif report.type == "remote-inbound-rtp" and report.roundTripTime is not None:
                    outbound.round_trip_time = report.roundTripTime

    def close(self) -> None:
        """The connection is at its end: its transceivers cannot be asked any more."""
        for track in self._tracks.values():
            track.stop()
        for held in (self._tracks, self._taps, self._carriers, self._shown):
            held.clear()
        self._unasked.clear()

    def _add(self, kind: Kind) -> RTCRtpTransceiver:
        transceiver = self._pc.addTransceiver(kind, direction="recvonly")
        if kind == "video":
            transceiver.setCodecPreferences(self._video_codecs())
        self._taps[transceiver] = internals.tap_receiver(transceiver.receiver)
        if kind not in self._shown:
            self._show(kind, [transceiver])
        return transceiver

    def _video_codecs(self) -> list[RTCRtpCodecCapability]:
        """All, the chosen one first, else that which the source has already. H.264 is our default:
        x264 is the faster encoder."""
        choice: str = self._video_codec
        if self._publications["video"].codec == "":  # what comes is sent back: as it is, if it can
            return []
        if choice == "auto":
            choice = self._publications["video"].codec or "h264"
        codecs = RTCRtpSender.getCapabilities("video").codecs
        return sorted(codecs, key=lambda codec: codec.mimeType.lower() != f"video/{choice}".lower())

    def _carry(self, kind: Kind, transceiver: RTCRtpTransceiver) -> None:
        outbound = self.outbound[kind] = Outbound(kind)
        track = self._tracks[kind] = PacketTrack(self._publications[kind], outbound)
        self._carriers[kind] = transceiver
        transceiver.sender.replaceTrack(track)
        transceiver.direction = "sendrecv"
        track.send_by(transceiver.sender)

    def _show(self, kind: Kind, sending: Sequence[RTCRtpTransceiver]) -> None:
        if not sending or self._shown.get(kind) in sending:
            return
        transceiver = self._shown[kind] = sending[0]
        self._taps[transceiver].tap = self._tap(kind)
        self._unasked.append(transceiver)

    async def _retire(self, transceiver: RTCRtpTransceiver) -> None:
        """Its section is rejected. What we send goes elsewhere, or waits for a section."""
        kind = _kind(transceiver)
        del self._taps[transceiver]
        if self._shown.get(kind) is transceiver:
            del self._shown[kind]
        if self._carriers.get(kind) is transceiver:
            del self._carriers[kind]
            self._tracks.pop(kind).stop()
        await internals.retire(self._pc, transceiver)


def _kind(of: Section | RTCRtpTransceiver) -> Kind:
    return "video" if of.kind == "video" else "audio"
