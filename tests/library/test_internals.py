"""The private names of aiortc: all there, and a loud word where one is not; what is heard there."""

import re
from importlib.metadata import version
from typing import Any, cast

import aioice.ice
import aiortc.rtcicetransport
import pytest
from aiortc import RTCDtlsTransport, RTCRtpReceiver, RTCRtpSender, clock
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
)

from roomcall.peer import internals
from roomcall.peer.internals import names, rtp

ON_CLASSES = [(owner, name) for owner, names in names._CLASS_NAMES for name in names]


def test_the_installed_version_has_all() -> None:
    internals.check()


def refused(name: str) -> Any:
    named = rf"aiortc {version('aiortc')} / aioice {version('aioice')} lack .*{re.escape(name)}"
    return pytest.raises(ImportError, match=named + r"\b.*pyproject\.toml")


@pytest.mark.parametrize(("owner", "name"), ON_CLASSES)
def test_a_method_that_is_gone_is_named(
    owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(owner, name)
    with refused(f"{owner.__name__}.{name}"):
        internals.check()


@pytest.mark.parametrize("name", names._RECEIVER_ATTRIBUTES)
def test_an_attribute_of_receivers_that_is_gone_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*arguments: Any) -> RTCRtpReceiver:
        receiver = RTCRtpReceiver(*arguments)
        delattr(receiver, name)
        return receiver

    monkeypatch.setattr(names, "RTCRtpReceiver", make)
    with refused(name):
        internals.check()


@pytest.mark.parametrize(("owner", "name"), names._ATTRIBUTES)
def test_an_attribute_that_is_gone_is_named(
    owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "__init__", lambda self, *_, **__: None)
    with refused(f"{owner.__name__}.{name}"):
        internals.check()


@pytest.mark.parametrize("name", names._FUNCTIONS)
def test_a_function_that_is_gone_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(aioice.ice, name)
    with refused(f"aioice.ice.{name}"):
        internals.check()


def test_a_class_that_is_replaced_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(aiortc.rtcicetransport), "Connection")
    with refused("aiortc.rtcicetransport.Connection"):
        internals.check()


def test_all_that_are_gone_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(aioice.ice, "get_host_addresses")
    monkeypatch.delattr(RTCRtpReceiver, "_send_rtcp_pli")
    for name in ("RTCRtpReceiver._send_rtcp_pli", "aioice.ice.get_host_addresses"):
        with refused(name):
            internals.check()


def test_time_stamps_are_unwrapped_and_may_step_back() -> None:
    unwrapper = rtp._Unwrapper()
    given = [2**32 - 3000, 0, 2**32 - 1500, 3000, 2**31 + 2000, 2**32 - 10, 5]
    start = 2**32
    assert [unwrapper.map(stamp) for stamp in given] == [
        start - 3000,
        start,
        start - 1500,
        start + 3000,
        start + 2**31 + 2000,
        start + 2**32 - 10,
        start + 2**32 + 5,
    ]


class Heard(internals.ReceiverTap):
    """A receiver's tap that writes down."""

    def __init__(self) -> None:
        self.packets: list[tuple[Any, ...]] = []
        self.frames: list[tuple[Any, ...]] = []

    def on_packet(self, *told: Any) -> None:
        self.packets.append(told)

    def on_frame(self, *told: Any) -> None:
        self.frames.append(told)


def receiver_of(kind: str) -> RTCRtpReceiver:
    return RTCRtpReceiver(kind, cast(RTCDtlsTransport, names._NoTransport()))


class _Codec:
    name = "VP8"


class _Frame:
    data, timestamp = b"data", 7


def test_encoded_frames_are_told() -> None:
    receiver, heard = receiver_of("video"), Heard()
    internals.tap_receiver(receiver).tap = heard
    queue = getattr(receiver, f"{rtp._R}decoder_queue")
    queue.put((_Codec, _Frame))
    assert heard.frames == [("VP8", b"data", 7)]
    assert queue.get() is None  # so that the decoder thread ends at once
    queue.put(None)  # the end
    assert len(heard.frames) == 1


def test_a_tap_that_raises_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(internals.ReceiverTap):
        def on_frame(self, *told: Any) -> None:
            raise RuntimeError("the tap broke")

    receiver = receiver_of("video")
    internals.tap_receiver(receiver).tap = Broken()
    queue = getattr(receiver, f"{rtp._R}decoder_queue")
    queue.put((_Codec, _Frame))
    queue.put((_Codec, _Frame))
    assert len(caplog.records) == 2 and "the tap broke" in caplog.text


class FakeSender:
    """What of a sender is tapped."""

    def __init__(self) -> None:
        self.handled: list[object] = []
        self.sent: list[Any] = []
        self._ssrc = 2
        kept = {number % 128: RtpPacket(sequence_number=number) for number in (130, 131, 65535)}
        setattr(self, f"{rtp._S}rtp_history", kept)

    async def _handle_rtcp_packet(self, packet: object) -> None:
        self.handled.append(packet)

    async def _send_rtcp(self, packets: list[Any]) -> None:
        self.sent += packets


async def test_what_the_other_end_asks_of_a_sender() -> None:
    sender = FakeSender()
    asked: list[str] = []
    found: list[int] = []
    shares: list[float] = []
    bounds: list[int] = []
    tap = internals.SenderTap(
        lambda: asked.append("key frame"), found.append, shares.append, bounds.append, lambda: 0.0
    )
    internals.tap_sender(cast(RTCRtpSender, sender), tap)

    for fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=2))
    assert asked == ["key frame"] * 2
    assert sender.handled == []

    remb = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=2)
    lost = [130, 2, 65535, 131]  # 2 has its place in the history, but another packet stands there
    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=2, lost=lost)
    await sender._handle_rtcp_packet(remb)
    await sender._handle_rtcp_packet(nack)
    assert sender.handled == [remb, nack]
    assert (len(asked), found) == (2, [3])

    for source in (2, 3):  # of this sender and of another one
        missed = RtcpReceiverInfo(
            ssrc=source,
            fraction_lost=64,
            packets_lost=1,
            highest_sequence=1,
            jitter=0,
            lsr=0,
            dlsr=0,
        )
        await sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=[missed]))
        fci = pack_remb_fci(200_000, [source])
        bound = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
        await sender._handle_rtcp_packet(bound)
    assert (shares, len(bounds)) == ([0.25], 1)
    assert bounds[0] == pytest.approx(200_000, rel=0.01)


async def test_a_report_pairs_a_frame_with_its_own_moment() -> None:
    sender = FakeSender()
    tap = internals.SenderTap(
        lambda: None, lambda _: None, lambda _: None, lambda _: None, lambda: 0.25
    )
    internals.tap_sender(cast(RTCRtpSender, sender), tap)
    for sent_at in (0, clock.current_ntp_time()):  # 0: nothing has been sent
        info = RtcpSenderInfo(sent_at, rtp_timestamp=90_000, packet_count=1, octet_count=1)
        await sender._send_rtcp([RtcpSrPacket(ssrc=1, sender_info=info)])
    nothing, something = (packet.sender_info for packet in sender.sent)
    assert nothing.ntp_timestamp == 0
    age = (clock.current_ntp_time() - something.ntp_timestamp) / 2**32
    assert 0.25 <= age < 1.25
    assert something.rtp_timestamp == 90_000
    # A receiver names the report by the middle of its time (RFC 3550 section 6.4.1, LSR).
    assert getattr(sender, f"{rtp._S}lsr") == something.ntp_timestamp >> 16 & 0xFFFFFFFF


async def test_who_is_held_up_between_two_looks_at_clocks_reports_no_wrong_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other processes take the core for half a second, after the first look."""
    sender, time = FakeSender(), 1000.0

    def current_ntp_time() -> int:
        nonlocal time
        now = time
        time += 0.5 if now == 1000 else 0
        return round(now * 2**32)

    tap = internals.SenderTap(
        lambda: None, lambda _: None, lambda _: None, lambda _: None, lambda: time - 999
    )
    internals.tap_sender(cast(RTCRtpSender, sender), tap)
    monkeypatch.setattr(clock, "current_ntp_time", current_ntp_time)
    info = RtcpSenderInfo(1, rtp_timestamp=90_000, packet_count=1, octet_count=1)
    await sender._send_rtcp([RtcpSrPacket(ssrc=1, sender_info=info)])
    assert info.ntp_timestamp == 999 * 2**32


async def test_an_agent_that_was_closed_early_says_so() -> None:
    """aiortc asks for the next event until it is told that this was the last one."""
    with internals.ice_settings(internals.IceSettings()):
        connection = aiortc.rtcicetransport.Connection(ice_controlling=True)
    await connection.close()
    assert isinstance(await connection.get_event(), aioice.ice.ConnectionClosed)
