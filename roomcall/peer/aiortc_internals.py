"""Every private name of aiortc and aioice that we use, in one place, checked at import.

Why we reach inside at all:
- aiortc decodes whatever arrives, always, in a thread a track. We take the encoded frames
  (`tap_receiver`) and decode only where somebody looks.
- With packets instead of frames to send, nobody acts on key-frame requests (`tap_sender`).
- aioice never gathers 127.0.0.1, so a machine that has only loopback could not connect
  (`allow_loopback_only`).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import aioice.ice
from aiortc import (
    RTCDtlsTransport,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)

if TYPE_CHECKING:
    from aiortc.rtp import AnyRtcpPacket, RtpPacket

logger = logging.getLogger(__name__)

_R = "_RTCRtpReceiver__"
_S = "_RTCRtpSender__"

# What must exist. A receiver's attributes are found by making one.
_CLASS_NAMES: list[tuple[type, list[str]]] = [
    (RTCRtpSender, ["_handle_rtcp_packet", "_retransmit"]),
    (RTCRtpReceiver, ["_handle_rtp_packet", "_handle_rtcp_packet", "_send_rtcp_pli"]),
    (aioice.ice.Connection, ["query_consent", "close"]),
]
_RECEIVER_ATTRIBUTES = [
    f"{_R}decoder_queue",
    f"{_R}jitter_buffer",
    f"{_R}timestamp_mapper",
    f"{_R}rtx_ssrc",
    f"{_R}codecs",
]
# These need a running loop, or a transport, to be made: their attributes are named in their code.
_ATTRIBUTES: list[tuple[type, str]] = [
    (RTCRtpSender, f"{_S}rtp_history"),
    (RTCRtpTransceiver, "_codecs"),
    (RTCIceTransport, "_connection"),
    (aioice.ice.Connection, "_nominated"),
]


class _NoTransport:
    """Enough of a transport to make a sender and a receiver for the check."""

    state = "new"


def check() -> None:
    """Raise `ImportError`, saying what changed, where a private name is gone."""
    receiver = RTCRtpReceiver("audio", cast(RTCDtlsTransport, _NoTransport()))
    missing = [
        f"{owner.__name__}.{name}"
        for owner, names in _CLASS_NAMES
        for name in names
        if not hasattr(owner, name)
    ]
    missing += [name for name in _RECEIVER_ATTRIBUTES if not hasattr(receiver, name)]
    missing += [
        f"{owner.__name__}.{name}"
        for owner, name in _ATTRIBUTES
        if name not in owner.__init__.__code__.co_names  # type: ignore[misc]
    ]
    if not hasattr(aioice.ice, "get_host_addresses"):
        missing.append("aioice.ice.get_host_addresses")
    if missing:
        raise ImportError(
            f"aiortc {version('aiortc')} / aioice {version('aioice')} lack {', '.join(missing)}"
            " — install the versions that roomcall's pyproject.toml names"
        )


def allow_loopback_only() -> None:
    """Offer 127.0.0.1 where there is no other address. Stays in force for the process."""
    gather = aioice.ice.get_host_addresses
    if getattr(gather, "falls_back", False):
        return

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return gather(use_ipv4, use_ipv6) or ["127.0.0.1"]

    get_host_addresses.falls_back = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = get_host_addresses


@dataclass(frozen=True, slots=True)
class SelectedPair:
    """W3C `RTCIceCandidatePair`: the types of its candidates and the protocol."""

    local: str
    remote: str
    protocol: str


def selected_pair(connection: RTCPeerConnection) -> SelectedPair | None:
    """The candidate pair in use. See RFC 8445 section 8.1.1."""
    for transceiver in connection.getTransceivers():
        ice = transceiver.receiver.transport.transport._connection
        pair = ice._nominated.get(1)
        if pair is not None:
            return SelectedPair(
                pair.local_candidate.type,
                pair.remote_candidate.type,
                pair.local_candidate.transport,
            )
    return None


def negotiated_codecs(transceiver: Any) -> list[str]:
    """Names of the media codecs of a transceiver, the one to be sent first."""
    return [codec.name for codec in transceiver._codecs if codec.name.lower() != "rtx"]


@dataclass(frozen=True, slots=True)
class ReceiverTap:
    """What a receiver tells, on the event loop.

    `on_packet(sequence, timestamp, size, repair, clock_rate)`: a packet of the main stream came, in
    itself or in a retransmission. `on_frame(codec, data, timestamp)`: a whole encoded frame, its
    RTP time stamp unwrapped. `on_report(ntp, timestamp)`: a sender report (RFC 3550 section 6.4.1),
    NTP in seconds. `on_end()`: no more will come.
    """

    on_packet: Callable[[int, int, int, bool, int], None]
    on_frame: Callable[[str, bytes, int], None]
    on_report: Callable[[float, int], None]
    on_end: Callable[[], None]


def _tell(callback: Callable[..., None], *arguments: Any) -> None:
    """An exception would end the DTLS transport that all media goes through, without a word."""
    try:
        callback(*arguments)
    except Exception:
        logger.exception("what came could not be taken")


class _FrameQueue:
    """Stands where aiortc hands encoded frames to its decoder thread; that thread ends at once."""

    def __init__(self, tap: ReceiverTap) -> None:
        self._tap = tap
        self._ended = False

    def get(self) -> None:
        """For the decoder thread: nothing to decode."""

    def put(self, task: Any) -> None:
        if task is not None:
            codec, frame = task
            _tell(self._tap.on_frame, codec.name, frame.data, frame.timestamp)
        elif not self._ended:
            self._ended = True
            _tell(self._tap.on_end)


class _Unwrapper:
    """RTP time stamps without their wrap; may step back, as B-frames of other stacks do.

    aiortc's own takes any step back for a wrap.
    """

    def __init__(self) -> None:
        self._last: int | None = None

    def map(self, timestamp: int) -> int:
        if self._last is None:
            self._last = timestamp
        step = (timestamp - self._last) & 0xFFFFFFFF
        self._last += step if step < 1 << 31 else step - (1 << 32)
        return self._last


def tap_receiver(receiver: RTCRtpReceiver, tap: ReceiverTap) -> None:
    """Take packets, encoded frames and reports of a receiver that has not started yet."""
    setattr(receiver, f"{_R}decoder_queue", _FrameQueue(tap))
    setattr(receiver, f"{_R}timestamp_mapper", _Unwrapper())
    if receiver.track is None or receiver.track.kind == "audio":
        _drop_prefetch(receiver)
    handle_rtp = receiver._handle_rtp_packet
    handle_rtcp = receiver._handle_rtcp_packet

    async def on_rtp(packet: "RtpPacket", arrival_time_ms: int) -> None:
        codecs = getattr(receiver, f"{_R}codecs")
        codec = codecs.get(packet.payload_type)
        if codec is not None:
            main = getattr(receiver, f"{_R}rtx_ssrc").get(packet.ssrc)
            payload = packet.payload
            if main is None:
                number = packet.sequence_number
                _tell(tap.on_packet, number, packet.timestamp, len(payload), False, codec.clockRate)
            elif len(payload) >= 2:  # RFC 4588 section 4: the original sequence number
                number, size = int.from_bytes(payload[:2], "big"), len(payload) - 2
                _tell(tap.on_packet, number, packet.timestamp, size, True, codec.clockRate)
        await handle_rtp(packet, arrival_time_ms=arrival_time_ms)

    async def on_rtcp(packet: "AnyRtcpPacket") -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            if info.ntp_timestamp:  # 0: it has not sent anything yet
                _tell(tap.on_report, info.ntp_timestamp / 2**32, info.rtp_timestamp)
        await handle_rtcp(packet)

    receiver._handle_rtp_packet = on_rtp  # type: ignore[method-assign]
    receiver._handle_rtcp_packet = on_rtcp  # type: ignore[method-assign]


def _drop_prefetch(receiver: RTCRtpReceiver) -> None:
    """aiortc holds sound back for four packets (80 ms), which sets it behind the picture."""
    stock = getattr(receiver, f"{_R}jitter_buffer")
    if stock.capacity == 16:
        setattr(receiver, f"{_R}jitter_buffer", JitterBuffer(capacity=16, prefetch=0))


async def request_key_frame(receiver: RTCRtpReceiver) -> bool:
    """Send a PLI (RFC 4585 section 6.3.1) for what the receiver gets; False where nothing came."""
    rtx = set(getattr(receiver, f"{_R}rtx_ssrc"))
    sources = [s.source for s in receiver.getSynchronizationSources() if s.source not in rtx]
    for ssrc in sources:
        await receiver._send_rtcp_pli(ssrc)
    return bool(sources)


@dataclass(frozen=True, slots=True)
class SenderTap:
    """What the other end asks of a sender: a key frame (PLI, FIR), or packets again (NACK), of
    which so many were still there."""

    on_key_frame_request: Callable[[], None]
    on_nack: Callable[[int], None]


def tap_sender(sender: RTCRtpSender, tap: SenderTap) -> None:
    """Hear what the other end reports about what it gets."""
    handle = sender._handle_rtcp_packet

    async def on_rtcp(packet: "AnyRtcpPacket") -> None:
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            _tell(tap.on_key_frame_request)
            return
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            history = getattr(sender, f"{_S}rtp_history")
            found = sum(
                kept is not None and kept.sequence_number == lost
                for lost in packet.lost
                for kept in (history.get(lost % RTP_HISTORY_SIZE),)
            )
            _tell(tap.on_nack, found)
        await handle(packet)

    sender._handle_rtcp_packet = on_rtcp  # type: ignore[method-assign]


check()
