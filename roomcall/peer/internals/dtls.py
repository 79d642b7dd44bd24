"""DTLS with those whose certificate has an RSA key, such as GStreamer's.

RFC 8827 section 6.5 lets both kinds of keys be used; aiortc offers suites for ECDSA alone.
"""

from typing import Any

from aiortc import RTCPeerConnection

_SUITES = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
    b":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
    b":ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)


def accept_rsa(pc: RTCPeerConnection) -> None:
    """Before its handshake."""
    for certificate in pc._RTCPeerConnection__certificates:  # type: ignore[attr-defined]
        _accept_rsa(certificate)


def _accept_rsa(certificate: Any) -> None:
    create = certificate._create_ssl_context

    def with_more_suites(*arguments: Any, **named: Any) -> Any:
        context = create(*arguments, **named)
        context.set_cipher_list(_SUITES)
        return context

    certificate._create_ssl_context = with_more_suites
