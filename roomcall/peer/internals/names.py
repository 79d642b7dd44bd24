"""Every private name of aiortc and aioice that we use, looked for in the installed versions."""

from importlib.metadata import version
from typing import cast

import aioice.ice
import aioice.turn
import aiortc.rtcicetransport
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.rtcdtlstransport import RtpRouter

_P = "_RTCPeerConnection__"
_R = "_RTCRtpReceiver__"
_S = "_RTCRtpSender__"

# What must exist. A receiver's attributes are found by making one.
_CLASS_NAMES: list[tuple[type, list[str]]] = [
    (RTCRtpSender, ["_handle_rtcp_packet", "_retransmit", "_run_rtp", "_send_rtcp"]),
    (RTCDtlsTransport, ["_send_rtp"]),
    (
        RTCRtpReceiver,
        ["_handle_rtp_packet", "_handle_rtcp_packet", "_send_rtcp_nack", "_send_rtcp_pli"],
    ),
    (
        aioice.ice.Connection,
        [
            "_check_list_maybe_complete",
            "_check_list_maybe_fail",
            "_pair_remote_candidate",
            "_remote_candidates_expected",
            "build_request",
            "close",
            "data_received",
            "protocol_lost",
            "query_consent",
            "sort_check_list",
        ],
    ),
    (aioice.ice.StunProtocol, ["request"]),
    (aioice.turn.TurnClientMixin, ["connect", "delete", "request"]),
    (RTCCertificate, ["_create_ssl_context"]),
    (RTCRtpTransceiver, ["_setCurrentDirection", "_set_mline_index"]),
    (RTCPeerConnection, [f"{_P}connect"]),
    (RtpRouter, ["route_rtp"]),
]
_FUNCTIONS = ["get_host_addresses", "relayed_candidate", "server_reflexive_candidate"]
_RECEIVER_ATTRIBUTES = [
    f"{_R}decoder_queue",
    f"{_R}jitter_buffer",
    f"{_R}timestamp_mapper",
    f"{_R}rtx_ssrc",
    f"{_R}codecs",
]
# These need a running loop, or a transport, to be made: their attributes are named in their code.
_ATTRIBUTES: list[tuple[type, str]] = [
    (RTCPeerConnection, f"{_P}certificates"),
    (RTCPeerConnection, f"{_P}remoteDtls"),
    (RTCPeerConnection, f"{_P}remoteIce"),
    (RTCPeerConnection, f"{_P}transceivers"),
    *(
        (RTCRtpSender, name)
        for name in (
            "_enabled",
            "_ssrc",
            f"{_S}lsr",
            f"{_S}mid",
            f"{_S}ntp_timestamp",
            f"{_S}octet_count",
            f"{_S}packet_count",
            f"{_S}rtp_exited",
            f"{_S}rtp_header_extensions_map",
            f"{_S}rtp_history",
            f"{_S}rtp_started",
            f"{_S}rtp_timestamp",
        )
    ),
    (RTCRtpTransceiver, "_codecs"),
    (RTCRtpTransceiver, "_offerDirection"),
    (RTCDtlsTransport, "_rtp_router"),
    (RTCDtlsTransport, "_state"),
    (RTCDtlsTransport, "_tx_srtp"),
    (RtpRouter, "mid_table"),
    (RtpRouter, "ssrc_table"),
    (RTCIceGatherer, "_connection"),
    (aioice.turn.TurnTransport, "_TurnTransport__close_task"),
    (aioice.turn.TurnTransport, "_TurnTransport__send_tasks"),
    *(
        (aioice.ice.Connection, name)
        for name in (
            "_closing",
            "_early_checks_done",
            "_local_candidates",
            "_local_candidates_end",
            "_local_candidates_start",
            "_nominated",
            "_protocols",
            "_remote_candidates",
            "_use_ipv4",
            "_use_ipv6",
        )
    ),
]


class _NoTransport:
    """Enough of a transport to make a receiver for the check."""

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
    missing += [f"aioice.ice.{name}" for name in _FUNCTIONS if not hasattr(aioice.ice, name)]
    if not hasattr(aiortc.rtcicetransport, "Connection"):
        missing.append("aiortc.rtcicetransport.Connection")
    if missing:
        raise ImportError(
            f"aiortc {version('aiortc')} / aioice {version('aioice')} lack {', '.join(missing)}"
            " — install the versions that roomcall's pyproject.toml names"
        )
