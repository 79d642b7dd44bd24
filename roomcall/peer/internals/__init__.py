"""Every private name of aiortc and aioice that we use, in one place, checked at import.

Why we reach inside at all:
- aiortc decodes whatever arrives, always, in a thread a track. We take the encoded frames
  (`tap_receiver`) and decode only where somebody looks.
- It packs a frame for each peer anew, and makes objects of every packet (`send_packets`).
- With packets instead of frames to send, nobody acts on key-frame requests (`tap_sender`).
- aiortc cannot restart ICE, sees a dead path after 32 s and closes it for good, and asks only one
  STUN and one TURN server, waiting for each (`IceAgent`).
- It rejects no section, and takes what is sent on one from the first description only (`retire`,
  `place`, `learn_sources`).
- A connection that is closed while it is being made leaves tasks behind (`PeerConnection`).
- It offers no DTLS suite for a certificate with an RSA key (`accept_rsa`).
- Its jitter buffer holds whole frames back, and waits 10 s for packets that were lost in an outage
  (`JumpingBuffer`).
"""

from .agent import IceAgent, SelectedPair, ice_agent, ice_settings
from .connecting import PeerConnection
from .dtls import accept_rsa
from .generation import IceServer, IceSettings
from .names import check
from .probe import IceAnswer, IceRefusal, probe
from .rtp import (
    ReceiverTap,
    SenderTap,
    TapSwitch,
    request_key_frame,
    tap_receiver,
    tap_sender,
)
from .sending import send_packets
from .transceivers import learn_sources, negotiated_codecs, place, retire

__all__ = [
    "accept_rsa",
    "IceAgent",
    "IceAnswer",
    "IceRefusal",
    "IceServer",
    "IceSettings",
    "PeerConnection",
    "ReceiverTap",
    "SelectedPair",
    "SenderTap",
    "TapSwitch",
    "check",
    "ice_agent",
    "ice_settings",
    "learn_sources",
    "negotiated_codecs",
    "place",
    "probe",
    "request_key_frame",
    "retire",
    "send_packets",
    "tap_receiver",
    "tap_sender",
]

check()
