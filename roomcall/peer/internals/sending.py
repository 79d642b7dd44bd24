"""Sends encoded frames in the place of aiortc's own loop, which packs every frame anew for each
peer and makes objects of every packet, most of which nobody looks at again.

What aiortc does beside it stays: RTCP, retransmission, statistics.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from struct import pack
from typing import TYPE_CHECKING, Any, cast

from aiortc import RTCDtlsTransport, RTCRtpSender, clock
from aiortc.codecs import get_encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtcdtlstransport import State
from aiortc.rtp import RTP_HISTORY_SIZE, HeaderExtensions, RtpPacket
from aiortc.utils import random16, random32, uint32_add

if TYPE_CHECKING:
    import av
    from aiortc.rtcrtpparameters import RTCRtpCodecParameters

    from .agent import IceAgent

    Taker = Callable[[av.Packet[Any]], None]

logger = logging.getLogger(__name__)

_S = "_RTCRtpSender__"
_packer = H264Encoder()  # it has no state where nothing is encoded


@dataclass(frozen=True, slots=True)
class _Sent:
    """A packet as it went out."""

    sequence_number: int
    data: bytes


@lru_cache(maxsize=16)
def _pack_h264(packet: "av.Packet[Any]") -> tuple[list[bytes], int]:
    """Once for all peers: they get the same packet, one after the other. RFC 6184."""
    return _packer.pack(packet)


def send_packets(sender: RTCRtpSender, feed: "Callable[[Taker | None], None]") -> None:
    """Have a sender that has not started yet send what comes. `feed(taker)` begins: `taker(packet)`
    sends one at once, and does not raise. `feed(None)` ends."""
    retransmit = sender._retransmit

    async def run_rtp(codec: "RTCRtpCodecParameters") -> None:
        getattr(sender, f"{_S}rtp_started").set()
        try:
            feed(partial(_take, _Writer(sender, codec), lambda: feed(None)))
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        finally:
            feed(None)
            if sender.track is not None:
                sender.track.stop()
            # Without this nobody could stop the sender.
            getattr(sender, f"{_S}rtp_exited").set()

    async def retransmit_as_packet(sequence_number: int) -> None:
        history = getattr(sender, f"{_S}rtp_history")
        sent = history.get(sequence_number % RTP_HISTORY_SIZE)
        if isinstance(sent, _Sent):
            extensions = getattr(sender, f"{_S}rtp_header_extensions_map")
            packet = RtpPacket.parse(sent.data, extensions)
            history[sequence_number % RTP_HISTORY_SIZE] = packet
        await retransmit(sequence_number)

    sender._run_rtp = run_rtp  # type: ignore[method-assign]
    sender._retransmit = retransmit_as_packet  # type: ignore[method-assign]


def _take(writer: "_Writer", end: Callable[[], None], packet: "av.Packet[Any]") -> None:
    try:
        writer.write(packet)
    except ConnectionError:
        end()
    except Exception:
        logger.exception("nothing more is sent")
        end()


class _Writer:
    """RFC 3550 section 5.1, with the header extensions of RFC 8285 section 4.2."""

    def __init__(self, sender: RTCRtpSender, codec: "RTCRtpCodecParameters") -> None:
        assert codec.payloadType is not None, "it is negotiated"
        self._sender = sender
        self._payload_type = codec.payloadType
        self._pack: Callable[[Any], tuple[list[bytes], int]] = (
            _pack_h264 if codec.mimeType.lower() == "video/h264" else get_encoder(codec).pack
        )
        self._extension_map = getattr(sender, f"{_S}rtp_header_extensions_map")
        self._extensions = HeaderExtensions(mid=getattr(sender, f"{_S}mid"))
        self._history = getattr(sender, f"{_S}rtp_history")
        # The lower half: SRTP takes a wrap among the first packets ill (RFC 3711 section 3.3.1).
        self._number, self._origin = random16() & 0x7FFF, random32()
        self._octets = self._packets = 0

    def write(self, packet: "av.Packet[Any]") -> None:
        """Raises `ConnectionError` where the transport is at its end."""
        sender, number = self._sender, self._number
        payloads, timestamp = self._pack(packet)
        if not sender._enabled or not payloads:
            return
        timestamp = uint32_add(self._origin, timestamp)
        now = clock.current_ntp_time()
        self._extensions.abs_send_time = (now >> 14) & 0x00FFFFFF
        profile, value = self._extension_map.set(self._extensions)
        extended = pack("!HH", profile, len(value) >> 2) + value if value else b""
        first = 0x90 if value else 0x80
        packets: list[bytes] = []
        for payload in payloads:
            kind = self._payload_type | (0x80 if len(packets) == len(payloads) - 1 else 0)
            header = pack("!BBHLL", first, kind, number, timestamp, sender._ssrc)
            data = header + extended + payload
            packets.append(data)
            self._history[number % RTP_HISTORY_SIZE] = _Sent(number, data)
            number = (number + 1) & 0xFFFF
            self._octets += len(payload)
        self._number = number
        self._packets += len(payloads)
        send_rtp(sender.transport, packets)
        setattr(sender, f"{_S}ntp_timestamp", now)
        setattr(sender, f"{_S}rtp_timestamp", timestamp)
        setattr(sender, f"{_S}octet_count", self._octets)
        setattr(sender, f"{_S}packet_count", self._packets)


def send_rtp(transport: RTCDtlsTransport, packets: list[bytes]) -> None:
    """Protected (RFC 3711), as aiortc does it one by one. Raises `ConnectionError`."""
    if transport._state != State.CONNECTED:
        raise ConnectionError("the DTLS transport is not connected")
    protect = transport._tx_srtp.protect
    agent = cast("IceAgent", transport.transport.iceGatherer._connection)
    agent.send_now([protect(packet) for packet in packets])
