"""What goes out of a sender of ours, packet by packet."""

import asyncio
from fractions import Fraction
from typing import Any, cast

import av
import pytest
from aiortc import RTCDtlsTransport, RTCRtpSender
from aiortc.codecs import depayload
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import (
    RTCRtcpParameters,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpSendParameters,
)
from aiortc.rtp import HeaderExtensionsMap, RtcpPacket, RtpPacket, is_rtcp

from roomcall.media.encoder import make_encoder
from roomcall.media.source import VIDEO_CLOCK, VIDEO_TIME_BASE
from roomcall.media.sources.testcard import TestCard
from roomcall.peer.internals import send_packets

FPS, COUNT = 30, 4
CODECS = {
    name: RTCRtpCodecParameters(f"video/{name}", clockRate=VIDEO_CLOCK, payloadType=97)
    for name in ("H264", "VP8")
}
RTX = RTCRtpCodecParameters(
    "video/rtx", clockRate=VIDEO_CLOCK, payloadType=98, parameters={"apt": 97}
)
EXTENSIONS = [
    RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
    RTCRtpHeaderExtensionParameters(
        id=2, uri="http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    ),
]


class Wire:
    """In the place of a DTLS transport, and of all below it."""

    state = "connected"
    _state = State.CONNECTED
    _stats_id = "wire"

    def __init__(self) -> None:
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport = self.iceGatherer = self._connection = self._tx_srtp = self

    async def _send_rtp(self, data: bytes) -> None:
        await self.sent.put(data)

    def protect(self, data: bytes) -> bytes:
        return data

    def send_now(self, packets: list[bytes]) -> None:
        for data in packets:
            self.sent.put_nowait(data)

    def _get_stats(self) -> dict[str, Any]:
        return {}

    def _register_rtp_sender(self, *_: Any) -> None:
        pass

    def _unregister_rtp_sender(self, *_: Any) -> None:
        pass

    async def packet(self, extensions: HeaderExtensionsMap) -> RtpPacket:
        async with asyncio.timeout(5):
            while is_rtcp(data := await self.sent.get()):
                RtcpPacket.parse(data)
        return RtpPacket.parse(data, extensions)


def encoded(codec: str) -> "list[av.Packet[Any]]":
    encoder, card = make_encoder(codec, 4_000_000), TestCard((640, 360), Fraction(FPS))
    packets = []
    for number in range(COUNT):
        frame = card.frame(number, 0.0)
        frame.pts, frame.time_base = number * VIDEO_CLOCK // FPS, VIDEO_TIME_BASE
        packets += encoder.encode(frame, number == 0)
    return packets


def plain(frame: bytes) -> bytes:
    """With one kind of start codes (H.264 annex B)."""
    return frame.replace(b"\0\0\0\1", b"\0\0\1")


@pytest.mark.parametrize("codec", CODECS)
async def test_frames_go_out_as_packets_and_again_where_asked(codec: str) -> None:
    packets = encoded(codec)
    wire, extensions = Wire(), HeaderExtensionsMap()
    sender = RTCRtpSender("video", cast(RTCDtlsTransport, wire))
    takers: asyncio.Queue[Any] = asyncio.Queue()
    send_packets(sender, takers.put_nowait)
    parameters = RTCRtpSendParameters(
        codecs=[CODECS[codec], RTX],
        headerExtensions=EXTENSIONS,
        muxId="1",
        rtcp=RTCRtcpParameters(cname="me"),
    )
    extensions.configure(parameters)
    await sender.send(parameters)
    take = await asyncio.wait_for(takers.get(), 5)
    for packet in packets:
        take(packet)
    sent: list[RtpPacket] = []
    while sum(packet.marker for packet in sent) < COUNT:
        sent.append(await wire.packet(extensions))
    first = sent[0]
    assert len(sent) > COUNT  # the key frame needs several
    for place, packet in enumerate(sent):
        assert (packet.sequence_number - first.sequence_number) & 0xFFFF == place
        assert (packet.ssrc, packet.payload_type) == (sender._ssrc, 97)
        assert packet.extensions.mid == "1" and packet.extensions.abs_send_time is not None
    frames: dict[int, bytes] = {}
    for packet in sent:
        data = depayload(CODECS[codec], packet.payload)
        frames[packet.timestamp] = frames.get(packet.timestamp, b"") + data
    assert [plain(bytes(packet)) for packet in packets] == [*map(plain, frames.values())]
    steps = [(time - first.timestamp) & 0xFFFFFFFF for time in frames]
    assert steps == [number * VIDEO_CLOCK // FPS for number in range(COUNT)]

    await sender._retransmit(sent[1].sequence_number)
    again = await wire.packet(extensions)
    number = sent[1].sequence_number.to_bytes(2, "big")
    assert (again.payload_type, again.payload) == (98, number + sent[1].payload)
    assert again.extensions.mid == "1"

    (report,) = [r for r in (await sender.getStats()).values() if r.type == "outbound-rtp"]
    assert report.packetsSent == len(sent)
    assert report.bytesSent == sum(len(packet.payload) for packet in sent)
    wire._state = State.CLOSED
    take(packets[-1])  # nothing is raised, and nothing more wanted
    assert takers.get_nowait() is None
    await sender.stop()
    assert takers.get_nowait() is None
