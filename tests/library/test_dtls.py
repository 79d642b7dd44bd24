"""A DTLS handshake with one whose certificate has an RSA key, in memory."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from aiortc import RTCCertificate, RTCPeerConnection
from aiortc.rtcdtlstransport import SRTP_PROFILES
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from roomcall.peer.internals import accept_rsa


def rsa_context() -> SSL.Context:
    """As GStreamer has it."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    return context


def shake_hands(ours: SSL.Context, theirs: SSL.Context) -> None:
    """We are the client. Raises `SSL.Error`."""
    client, server = SSL.Connection(ours, None), SSL.Connection(theirs, None)
    client.set_connect_state()
    server.set_accept_state()
    done = set()
    for _ in range(10):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
                done.add(one)
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))
    assert len(done) == 2


async def test_a_server_with_an_rsa_key_is_accepted() -> None:
    pc = RTCPeerConnection()
    [certificate] = pc._RTCPeerConnection__certificates
    create: Callable[..., SSL.Context] = certificate._create_ssl_context
    theirs = rsa_context()
    with pytest.raises(SSL.Error):
        shake_hands(create(srtp_profiles=SRTP_PROFILES), theirs)
    accept_rsa(pc)
    shake_hands(certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES), theirs)
    other = RTCCertificate.generateCertificate()  # and whatever aiortc takes
    shake_hands(
        certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES),
        other._create_ssl_context(srtp_profiles=SRTP_PROFILES),
    )
    await pc.close()
