"""What a receiver gets and what a sender is asked for, taken where aiortc would act on it."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiortc import RTCRtpReceiver, RTCRtpSender, clock
from aiortc.codecs import is_rtx
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RTP_HISTORY_SIZE,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from .jitter import AUDIO_CAPACITY, MAX_HOLE, JumpingBuffer

if TYPE_CHECKING:
    from aiortc.jitterbuffer import JitterFrame
    from aiortc.rtp import AnyRtcpPacket, RtpPacket

logger = logging.getLogger(__name__)

_LOOKS = 5
_AT_ONCE = 0.001  # seconds
_R = "_RTCRtpReceiver__"
_S = "_RTCRtpSender__"


class ReceiverTap:
    """What a receiver tells, on the event loop; this one does not listen."""

    def on_packet(
        self, sequence: int, timestamp: int, size: int, repair: bool, clock_rate: int
    ) -> None:
        """A packet of the main stream came, in itself or in a retransmission (`repair`)."""

    def on_frame(self, codec: str, data: bytes, timestamp: int) -> None:
        """A whole encoded frame, its RTP time stamp unwrapped."""

    def on_report(self, ntp: float, timestamp: int) -> None:
        """A sender report (RFC 3550 section 6.4.1), NTP in seconds."""

    def on_nack(self) -> None:
        """Packets were asked for again."""

    def on_pli(self) -> None:
        """A key frame was asked for."""

    def on_gap(self) -> None:
        """Frames were lost for good; the next one does not follow the last."""


def _tell(callback: Callable[..., None], *arguments: Any) -> None:
    """An exception would end the DTLS transport that all media goes through, without a word."""
    try:
        callback(*arguments)
    except Exception:
        logger.exception("what came could not be taken")


class TapSwitch:
    """`tap` is who listens to a receiver just now."""

    def __init__(self) -> None:
        self.tap = ReceiverTap()


class _FrameQueue:
    """Stands where aiortc hands encoded frames to its decoder thread; that thread ends at once."""

    def __init__(self, switch: TapSwitch) -> None:
        self._switch = switch
        self._codec = ""

    def get(self) -> None:
        """For the decoder thread: nothing to decode."""

    def put(self, task: Any) -> None:
        if task is not None:  # the end
            codec, frame = task
            self._codec = codec.name
            self.tell(frame)

    def tell(self, frame: "JitterFrame") -> None:
        """Of the same codec as the last."""
        _tell(self._switch.tap.on_frame, self._codec, frame.data, frame.timestamp)


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


def tap_receiver(receiver: RTCRtpReceiver) -> TapSwitch:
    """Take packets, encoded frames and reports of a receiver that has not started yet."""
    switch = TapSwitch()
    queue, unwrapper = _FrameQueue(switch), _Unwrapper()
    setattr(receiver, f"{_R}decoder_queue", queue)
    setattr(receiver, f"{_R}timestamp_mapper", unwrapper)
    # Sound is not held back for four packets (80 ms), which would set it behind the picture.
    stock = getattr(receiver, f"{_R}jitter_buffer")
    video = stock.capacity > AUDIO_CAPACITY
    buffer = JumpingBuffer(stock.capacity, is_video=video, on_jump=lambda: _tell(switch.tap.on_gap))
    setattr(receiver, f"{_R}jitter_buffer", buffer)
    handle_rtp = receiver._handle_rtp_packet
    handle_rtcp = receiver._handle_rtcp_packet
    send_nack = receiver._send_rtcp_nack
    send_pli = receiver._send_rtcp_pli

    async def on_rtp(packet: "RtpPacket", arrival_time_ms: int) -> None:
        codec = getattr(receiver, f"{_R}codecs").get(packet.payload_type)
        number, payload, repair = packet.sequence_number, packet.payload, False
        if codec is not None and is_rtx(codec):
            # RFC 4588 section 4: the original sequence number; without one it is for probing.
            repair = packet.ssrc in getattr(receiver, f"{_R}rtx_ssrc") and len(payload) >= 2
            number, payload = int.from_bytes(payload[:2], "big"), payload[2:]
            codec = codec if repair else None
        if codec is not None:
            told = (number, packet.timestamp, len(payload), repair, codec.clockRate)
            _tell(switch.tap.on_packet, *told)
        await handle_rtp(packet, arrival_time_ms=arrival_time_ms)
        while (frame := buffer.take()) is not None:
            frame.timestamp = unwrapper.map(frame.timestamp)
            queue.tell(frame)

    async def on_rtcp(packet: "AnyRtcpPacket") -> None:
        if isinstance(packet, RtcpByePacket):
            return  # who leaves is told by the signaling; libwebrtc also says it on a new offer
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            if info.ntp_timestamp:  # 0: it has not sent anything yet
                _tell(switch.tap.on_report, info.ntp_timestamp / 2**32, info.rtp_timestamp)
        await handle_rtcp(packet)

    async def nack(media_ssrc: int, lost: list[int]) -> None:
        if len(lost) < MAX_HOLE:  # else the buffer jumps, and the answer would only fill the line
            _tell(switch.tap.on_nack)
            await send_nack(media_ssrc, lost)

    async def pli(media_ssrc: int) -> None:
        _tell(switch.tap.on_pli)
        await send_pli(media_ssrc)

    receiver._handle_rtp_packet = on_rtp  # type: ignore[method-assign]
    receiver._handle_rtcp_packet = on_rtcp  # type: ignore[method-assign]
    receiver._send_rtcp_nack = nack  # type: ignore[method-assign]
    receiver._send_rtcp_pli = pli  # type: ignore[method-assign]
    return switch


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
    which so many were still there; the share of packets that it misses (receiver reports), and how
    many bits a second it can take (REMB). And what it is told: how old, in seconds, the frame is
    that was read last."""

    on_key_frame_request: Callable[[], None]
    on_nack: Callable[[int], None]
    on_loss: Callable[[float], None]
    on_bound: Callable[[int], None]
    age: Callable[[], float]


def _moment(age: Callable[[], float]) -> int:
    """NTP time of what is so old. Whoever is held up between two looks at clocks, as a busy machine
    does it, looks again."""
    for _ in range(_LOOKS):
        before = age()
        now = clock.current_ntp_time()
        if age() - before < _AT_ONCE:
            break
    return now - round(before * 2**32)


def tap_sender(sender: RTCRtpSender, tap: SenderTap) -> None:
    """Hear what the other end reports about what it gets, and report to it in time.

    aiortc's sender reports pair a frame with the moment in which it was sent, so that what a busy
    machine or an encoder holds up is taken for an offset between picture and sound. Ours pair it
    with the moment to which it belongs (RFC 3550 section 6.4.1: the same instant).
    """
    handle = sender._handle_rtcp_packet
    send = sender._send_rtcp

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
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == sender._ssrc:
                    _tell(tap.on_loss, report.fraction_lost / 256)
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            with suppress(ValueError):  # another message of an application
                bitrate, sources = unpack_remb_fci(packet.fci)
                if sender._ssrc in sources:
                    _tell(tap.on_bound, bitrate)
        await handle(packet)

    async def send_rtcp(packets: "list[AnyRtcpPacket]") -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket) and packet.sender_info.ntp_timestamp:
                ntp = _moment(tap.age)
                packet.sender_info.ntp_timestamp = ntp
                # By this the answer is known, and with it the round trip.
                setattr(sender, f"{_S}lsr", ntp >> 16 & 0xFFFFFFFF)
        await send(packets)

    sender._handle_rtcp_packet = on_rtcp  # type: ignore[method-assign]
    sender._send_rtcp = send_rtcp  # type: ignore[method-assign]
