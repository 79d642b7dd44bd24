"""Counting what arrives where it arrives, by the names of W3C webrtc-stats. Pure.

Rule 1. Time and sequence numbers are arguments; seconds are `loop.time()`.
Rule 2. `packetsLost` is what is missing after repair: a retransmission takes a packet off the list.
Rule 3. A freeze is what the W3C calls one: a gap between two frames of more than three times their
        average distance and 150 ms more than it (webrtc-stats, `freezeCount`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .media.source import Kind

# Sequence numbers further behind than this are lost for good: no sender keeps them (aiortc: 128).
_REPAIR_WINDOW = 1024
_FREEZE_HISTORY = 30  # frames whose distances are averaged
_RATE_WINDOW = 1.0  # seconds over which a rate is taken


@dataclass(slots=True)
class PacketCounter:
    """RTP packets of one stream. See RFC 3550 sections 6.4.1 and A.8."""

    clock_rate: int
    packets_received: int = 0
    bytes_received: int = 0
    jitter: float = 0.0
    _highest: int | None = None  # extended with the cycles
    _missing: set[int] = field(default_factory=set)
    _lost: int = 0
    _transit: float | None = None

    @property
    def packets_lost(self) -> int:
        return self._lost + len(self._missing)

    def add(self, sequence: int, timestamp: int, size: int, now: float, repair: bool) -> None:
        """A packet of `size` payload bytes. `repair`: it came by retransmission."""
        self.packets_received += 1
        self.bytes_received += size
        if self._highest is None:
            self._highest = sequence
        extended = self._extend(sequence)
        if extended > self._highest:
            if extended > self._highest + 1:
                self._missing.update(range(self._highest + 1, extended))
                self._give_up(extended)
            self._highest = extended
            if not repair:
                self._measure_jitter(timestamp, now)
        else:
            self._missing.discard(extended)

    def continue_from(self, other: "PacketCounter") -> None:
        """This stream takes the place of another, whose counts go on here."""
        self.packets_received += other.packets_received
        self.bytes_received += other.bytes_received
        self._lost += other.packets_lost

    def _extend(self, sequence: int) -> int:
        assert self._highest is not None
        step = (sequence - self._highest) & 0xFFFF
        return self._highest + (step if step < 0x8000 else step - 0x10000)

    def _give_up(self, newest: int) -> None:
        old = {number for number in self._missing if number < newest - _REPAIR_WINDOW}
        self._missing -= old
        self._lost += len(old)

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        transit = now - timestamp / self.clock_rate
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < 1.0:  # a time stamp that wrapped or jumped says nothing about jitter
                self.jitter += (difference - self.jitter) / 16
        self._transit = transit


@dataclass(slots=True)
class FrameCounter:
    """Whole frames of one stream."""

    frames_received: int = 0
    key_frames: int = 0
    freeze_count: int = 0
    total_freezes_duration: float = 0.0
    _recent: list[float] = field(default_factory=list)
    _gaps: list[float] = field(default_factory=list)
    _last: float | None = None

    def add(self, now: float, *, key_frame: bool, shown: bool = True) -> None:
        """A whole frame; `shown`: it can be decoded, as all that it builds on has come."""
        self.frames_received += 1
        self.key_frames += key_frame
        if not shown:
            return
        self._recent.append(now)
        self._forget(now)
        if self._last is not None:
            self._judge(now - self._last)
        self._last = now

    def _judge(self, gap: float) -> None:
        if self._gaps:
            average = sum(self._gaps) / len(self._gaps)
            if gap > max(3 * average, average + 0.150):
                self.freeze_count += 1
                self.total_freezes_duration += gap
        self._gaps.append(gap)
        del self._gaps[:-_FREEZE_HISTORY]

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0] <= now - _RATE_WINDOW:
            del self._recent[0]

    def end(self) -> None:
        """Nothing more will come: the counts stay."""
        self._recent.clear()
        self._gaps.clear()

    def rate(self, now: float) -> float:
        """Frames in the last second."""
        self._forget(now)
        return len(self._recent) / _RATE_WINDOW


@dataclass(slots=True)
class Inbound:
    """What one remote track has brought so far."""

    kind: str
    packets: PacketCounter
    frames: FrameCounter = field(default_factory=FrameCounter)
    nack_count: int = 0
    pli_count: int = 0
    codec: str | None = None
    frame_width: int | None = None
    frame_height: int | None = None

    def report(self, now: float) -> dict[str, Any]:
        """W3C `RTCInboundRtpStreamStats`."""
        result: dict[str, Any] = {
            "packetsReceived": self.packets.packets_received,
            "packetsLost": self.packets.packets_lost,
            "jitter": round(self.packets.jitter, 6),
            "bytesReceived": self.packets.bytes_received,
            "framesReceived": self.frames.frames_received,
            "nackCount": self.nack_count,
            "mimeType": None if self.codec is None else f"{self.kind}/{self.codec}",
        }
        if self.kind == "video":
            result |= {
                "framesPerSecond": self.frames.rate(now),
                "keyFramesDecoded": self.frames.key_frames,
                "freezeCount": self.frames.freeze_count,
                "totalFreezesDuration": round(self.frames.total_freezes_duration, 3),
                "pliCount": self.pli_count,
                "frameWidth": self.frame_width,
                "frameHeight": self.frame_height,
            }
        return result


@dataclass(slots=True)
class Outbound:
    """What has been sent to one peer on one track."""

    kind: str
    frames_sent: int = 0
    frames_dropped: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    pli_count: int = 0
    nack_count: int = 0
    retransmitted_packets_sent: int = 0
    round_trip_time: float | None = None

    def report(self) -> dict[str, Any]:
        """W3C `RTCOutboundRtpStreamStats`; `framesDropped` is ours: what a slow peer missed."""
        return {
            "framesSent": self.frames_sent,
            "framesDropped": self.frames_dropped,
            "packetsSent": self.packets_sent,
            "bytesSent": self.bytes_sent,
            "pliCount": self.pli_count,
            "nackCount": self.nack_count,
            "retransmittedPacketsSent": self.retransmitted_packets_sent,
        }


def of_peer(
    inbound: Mapping[Kind, Inbound],
    outbound: Mapping[Kind, Outbound],
    pair: Mapping[str, Any] | None,
    now: float,
) -> dict[str, Any]:
    """What `Peer.stats` tells of packets and their path."""
    result: dict[str, Any] = {}
    for kind in ("video", "audio"):
        section = {}
        if kind in inbound:
            section["inbound"] = inbound[kind].report(now)
        if kind in outbound:
            section["outbound"] = outbound[kind].report()
        if section:
            result[kind] = section
    trips = [o.round_trip_time for o in outbound.values() if o.round_trip_time is not None]
    if not trips and pair is not None and pair["currentRoundTripTime"] is not None:
        trips = [pair["currentRoundTripTime"]]
    return result | {
        "roundTripTime": round(min(trips), 6) if trips else None,
        "candidatePair": pair,
    }
