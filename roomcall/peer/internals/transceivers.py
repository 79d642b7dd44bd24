"""Sections that come, move and end in later negotiations: aiortc knows those of the first only."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiortc import (
    RTCPeerConnection,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiver,
    RTCRtpTransceiver,
)
from aiortc.codecs import HEADER_EXTENSIONS

_P = "_RTCPeerConnection__"
_R = "_RTCRtpReceiver__"

# A page that offers simulcast cannot offer again where this is not agreed on (RFC 8852).
_STREAM_ID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
HEADER_EXTENSIONS["video"].append(RTCRtpHeaderExtensionParameters(id=4, uri=_STREAM_ID))


def negotiated_codecs(transceiver: RTCRtpTransceiver) -> list[str]:
    """Names of the media codecs of a transceiver, the one to be sent first."""
    return [codec.name for codec in transceiver._codecs if codec.name.lower() != "rtx"]


def place(transceiver: RTCRtpTransceiver, section: int) -> None:
    """Its section is the one of this number in the description that comes next."""
    transceiver._set_mline_index(section)


class _Ended:
    """Receives what is still on its way of streams that have ended.

    aiortc would take their packets for those of the one receiver of the kind that is left, where
    they tear the pictures: a page goes on sending until it has stopped.
    """

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        pass


_ENDED: Any = _Ended()
MAX_ENDED = 64  # streams of a connection; then the oldest is forgotten


def _end_streams(receiver: RTCRtpReceiver) -> None:
    table = receiver.transport._rtp_router.ssrc_table
    table.update((ssrc, _ENDED) for ssrc, of in list(table.items()) if of is receiver)
    ended = [ssrc for ssrc, of in table.items() if of is _ENDED]
    for ssrc in ended[:-MAX_ENDED]:
        del table[ssrc]


async def retire(pc: RTCPeerConnection, transceiver: RTCRtpTransceiver) -> None:
    """Stop it for good; no description has a section of it any more."""
    transceiver.direction = transceiver._offerDirection = "inactive"
    transceiver._setCurrentDirection("inactive")
    place(transceiver, -1)
    _end_streams(transceiver.receiver)
    await transceiver.stop()
    kept = getattr(pc, f"{_P}transceivers")
    if transceiver is not kept[0]:  # by the first aiortc knows the transport of all
        kept.remove(transceiver)
        for of_remote in (f"{_P}remoteDtls", f"{_P}remoteIce"):
            getattr(pc, of_remote).pop(transceiver, None)


def learn_sources(
    receiver: RTCRtpReceiver, sources: Iterable[int], repairs: Mapping[int, int]
) -> None:
    """The SSRCs that a description names for it, and what each of the retransmissions repairs."""
    getattr(receiver, f"{_R}rtx_ssrc").update(repairs)
    router = receiver.transport._rtp_router
    router.ssrc_table.update(dict.fromkeys(sources, receiver))
    if "route_rtp" not in vars(router):
        _route_by_mid(router)


def _route_by_mid(router: Any) -> None:
    """Streams without an SSRC in the description, as of simulcast: see RFC 9143 section 9.2."""
    by_source = router.route_rtp

    def route(packet: Any) -> Any:
        receiver = by_source(packet)
        if receiver is None and packet.ssrc not in router.ssrc_table:
            receiver = router.mid_table.get(packet.extensions.mid)
            if receiver is not None:
                router.ssrc_table[packet.ssrc] = receiver
        return receiver

    router.route_rtp = route
