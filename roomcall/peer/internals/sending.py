"""Sends encoded frames in the place of aiortc's own loop, which packs every frame anew for each
peer and makes objects of every packet, most of which nobody looks at again.

What aiortc does beside it stays: RTCP, retransmission, statistics.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from struct import pack
from typing import TYPE_CHECKING, Any

from aiortc import MediaStreamError, RTCRtpSender, clock
from aiortc.codecs import get_encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtp import RTP_HISTORY_SIZE, HeaderExtensions, RtpPacket
from aiortc.utils import random16, random32, uint16_add, uint32_add

if TYPE_CHECKING:
    import av
    from aiortc.rtcrtpparameters import RTCRtpCodecParameters

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


def send_packets(sender: RTCRtpSender) -> None:
    """Have a sender that has not started yet send what its track gives: `av.Packet`."""
    retransmit = sender._retransmit

    async def run_rtp(codec: "RTCRtpCodecParameters") -> None:
        getattr(sender, f"{_S}rtp_started").set()
        try:
            await _send(sender, codec)
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            pass
        except Exception:
            # Without what follows nobody could stop the sender.
            logger.exception("nothing more is sent on %s", sender.kind)
        if sender.track is not None:
            sender.track.stop()
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


async def _send(sender: RTCRtpSender, codec: "RTCRtpCodecParameters") -> None:
    """RFC 3550 section 5.1, with the header extensions of RFC 8285 section 4.2."""
    packer: Callable[[Any], tuple[list[bytes], int]]
    payload_type = codec.payloadType
    assert payload_type is not None, "it is negotiated"
    packer = _pack_h264 if codec.mimeType.lower() == "video/h264" else get_encoder(codec).pack
    extension_map = getattr(sender, f"{_S}rtp_header_extensions_map")
    history = getattr(sender, f"{_S}rtp_history")
    extensions = HeaderExtensions(mid=getattr(sender, f"{_S}mid"))
    # The lower half: SRTP takes a wrap among the first packets ill (RFC 3711 section 3.3.1).
    number, origin = random16() & 0x7FFF, random32()
    octets = packets = 0
    while True:
        track = sender.track
        assert track is not None, "senders have one from the first on"
        packet: Any = await track.recv()
        payloads, timestamp = packer(packet)
        if not sender._enabled:
            continue
        timestamp = uint32_add(origin, timestamp)
        now = clock.current_ntp_time()
        extensions.abs_send_time = (now >> 14) & 0x00FFFFFF
        profile, value = extension_map.set(extensions)
        extended = pack("!HH", profile, len(value) >> 2) + value if value else b""
        first = 0x90 if value else 0x80
        for place, payload in enumerate(payloads, 1):
            kind = payload_type | (0x80 if place == len(payloads) else 0)
            header = pack("!BBHLL", first, kind, number, timestamp, sender._ssrc)
            data = header + extended + payload
            history[number % RTP_HISTORY_SIZE] = _Sent(number, data)
            await sender.transport._send_rtp(data)
            number = uint16_add(number, 1)
            octets += len(payload)
            packets += 1
        setattr(sender, f"{_S}ntp_timestamp", now)
        setattr(sender, f"{_S}rtp_timestamp", timestamp)
        setattr(sender, f"{_S}octet_count", octets)
        setattr(sender, f"{_S}packet_count", packets)
