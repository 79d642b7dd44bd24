"""What receivers and agents are told and tell, beneath a connection."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiortc import RTCDtlsTransport, RTCPeerConnection, RTCRtpReceiver
from aiortc.codecs import CODECS
from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtp import RtcpByePacket, RtcpSenderInfo, RtcpSrPacket, RtpPacket

from roomcall.peer import internals
from roomcall.peer.internals import rtp
from roomcall.peer.internals.agent import IceAgent
from roomcall.peer.internals.generation import Generation, IceSettings

MAIN, REPAIR, PROBING = 11, 12, 13  # SSRCs


class Transport:
    """Enough of one for a receiver."""

    state = "new"

    def __init__(self) -> None:
        self._rtp_router = RtpRouter()


def receiver() -> RTCRtpReceiver:
    made = RTCRtpReceiver("video", cast(RTCDtlsTransport, Transport()))
    codecs = getattr(made, f"{rtp._R}codecs")
    for payload_type, name in ((97, "video/vp8"), (98, "video/rtx")):
        [codec, *_] = [c for c in CODECS["video"] if c.mimeType.lower() == name]
        codecs[payload_type] = codec
    return made


class Numbers(internals.ReceiverTap):
    def __init__(self) -> None:
        self.told: list[tuple[int, bool]] = []

    def on_packet(self, sequence: int, *given: Any) -> None:
        self.told.append((sequence, given[2]))


def packet(number: int, ssrc: int, payload_type: int, payload: bytes) -> RtpPacket:
    made = RtpPacket(payload_type=payload_type, sequence_number=number)
    made.ssrc, made.payload = ssrc, payload
    return made


async def test_a_retransmission_counts_as_what_it_repairs_and_probing_as_nothing() -> None:
    made, heard = receiver(), Numbers()
    internals.tap_receiver(made).tap = heard
    internals.learn_sources(made, [MAIN, REPAIR], {REPAIR: MAIN})
    for each in (
        packet(7, MAIN, 97, b"\x10\x00payload"),
        packet(900, REPAIR, 98, (6).to_bytes(2, "big") + b"\x10\x00payload"),
        packet(901, REPAIR, 98, b""),
        packet(30_000, PROBING, 98, b"\x10\x00\x10\x00"),
        packet(8, MAIN, 99, b"of a codec that is not agreed on"),
    ):
        await made._handle_rtp_packet(each, arrival_time_ms=0)
    assert heard.told == [(7, False), (6, True)]


async def test_a_goodbye_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """libwebrtc says it on a new offer, and goes on."""
    made = receiver()
    handled: list[Any] = []

    async def handle(given: Any) -> None:
        handled.append(given)

    monkeypatch.setattr(made, "_handle_rtcp_packet", handle)
    internals.tap_receiver(made)
    await made._handle_rtcp_packet(RtcpByePacket(sources=[MAIN]))
    assert handled == []


def test_a_stream_that_no_description_names_goes_where_its_mid_says() -> None:
    one, other = receiver(), receiver()
    router = one.transport._rtp_router
    for made, mid in ((one, "1"), (other, "2")):
        router.register_receiver(made, ssrcs=[], payload_types=[97], mid=mid)
    internals.learn_sources(one, [MAIN], {})
    internals.learn_sources(one, [MAIN], {})  # of a later description
    stray = packet(1, PROBING, 97, b"")
    assert router.route_rtp(packet(1, MAIN, 97, b"")) is one
    assert router.route_rtp(stray) is None
    stray.extensions.mid = "2"
    assert router.route_rtp(stray) is other
    stray.extensions.mid = None  # it is sent with the first packets only
    assert router.route_rtp(stray) is other


async def test_what_is_on_its_way_of_a_stream_that_has_ended_goes_nowhere() -> None:
    """In another receiver it would tear the pictures, and be missed ever after."""
    pc = RTCPeerConnection()
    first, second = pc.addTransceiver("video"), pc.addTransceiver("video")
    second.receiver.setTransport(first.receiver.transport)
    router = first.receiver.transport._rtp_router
    for transceiver, ssrc in ((first, MAIN), (second, PROBING)):
        router.register_receiver(transceiver.receiver, ssrcs=[], payload_types=[97])
        internals.learn_sources(transceiver.receiver, [ssrc], {})
    late = packet(1, PROBING, 97, b"")
    assert router.route_rtp(late) is second.receiver
    await internals.retire(pc, second)
    router.unregister_receiver(second.receiver)  # as of one that has received
    assert router.route_rtp(late) is None
    assert router.route_rtp(packet(1, MAIN, 97, b"")) is first.receiver
    report = RtcpSrPacket(ssrc=PROBING, sender_info=RtcpSenderInfo(1, 1, 1, 1))
    for recipient in router.route_rtcp(report):
        await recipient._handle_rtcp_packet(report)
    internals.learn_sources(first.receiver, [PROBING], {})  # it is used again
    assert router.route_rtp(late) is first.receiver
    await pc.close()


async def test_a_generation_that_closes_asks_for_no_consent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its next question may be due in that very moment."""
    monkeypatch.setattr("roomcall.peer.internals.generation.CONSENT_INTERVAL", 0.0)
    asked = 0

    async def request(*_: Any, **__: Any) -> None:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()

    generation = Generation(cast(Any, None), IceSettings(), ice_controlling=True)
    generation.remote_username, generation.remote_password = "them", "a password"
    candidate = SimpleNamespace(priority=1)
    pair = SimpleNamespace(
        protocol=SimpleNamespace(request=request), remote_addr=(), local_candidate=candidate
    )
    monkeypatch.setattr(generation, "build_request", lambda *_, **__: None)
    generation._nominated[1] = cast(Any, pair)
    generation._query_consent_task = asyncio.create_task(generation.query_consent())
    while asked < 3:  # noqa: ASYNC110 - it is about single turns of the loop
        await asyncio.sleep(0)
    await generation.close()
    assert not generation._consents


async def test_a_closed_agent_begins_nothing() -> None:
    """aiortc closes it by itself where the other end says goodbye, also during a restart."""
    agent = IceAgent(IceSettings(), ice_controlling=True)
    await agent.gather_candidates()
    await agent.close()
    with pytest.raises(ConnectionError, match="closed"):
        await agent.begin_restart()


async def test_a_restart_that_is_abandoned_leaves_what_was_agreed_on() -> None:
    agent = IceAgent(IceSettings(), ice_controlling=True)
    await agent.gather_candidates()
    agreed = agent.local_username
    await agent.begin_restart()
    assert agent.local_username != agreed
    await agent.abandon_restart()
    await agent.abandon_restart()
    assert agent.local_username == agreed and agent.local_candidates
    await agent.close()


async def test_a_name_that_nobody_knows_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without a camera give names of mDNS in the place of addresses (RFC 8828)."""

    async def no_multicast(*given: Any) -> None:
        raise OSError("no such device")

    monkeypatch.setattr("aioice.ice.get_or_create_mdns_protocol", no_multicast)
    agent = IceAgent(IceSettings(), ice_controlling=True)
    name = SimpleNamespace(host="2a8c8b1e-0b1f-4d7d-8a3c-0d6f1c1c7e51.local")
    await agent.add_remote_candidate(cast(Any, name))
    await agent.add_remote_candidate(None)
    await agent.close()
