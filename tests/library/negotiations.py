"""A negotiation in each of its phases, and what is said to it."""

from typing import Any

from roomcall.peer.negotiation import Effect, Negotiation

LOW, HIGH = "a", "b"  # the polite side and the impolite one


def sdp(who: str, ufrag: str = "u") -> str:
    return f"v=0\r\na=fingerprint:sha-256 {who}\r\na=ice-ufrag:{ufrag}\r\n"


def described(who: str, call_id: str | None = None, ufrag: str = "u") -> dict[str, Any]:
    return {"sdp": sdp(who, ufrag)} | ({} if call_id is None else {"callId": call_id})


def candidate(call_id: str | None = None, ufrag: str | None = None, text: str = "c") -> Any:
    given = {"candidate": text, "callId": call_id, "usernameFragment": ufrag}
    return {key: value for key, value in given.items() if value is not None}


def waiting(own: str = LOW, peer: str = HIGH) -> Negotiation:
    negotiation = Negotiation(own, peer, offers_first=False)
    negotiation.start("unused")
    return negotiation


def offering(own: str = LOW, peer: str = HIGH, call_id: str = "mine") -> Negotiation:
    negotiation = Negotiation(own, peer, offers_first=True)
    negotiation.start(call_id)
    return negotiation


def connecting() -> Negotiation:
    negotiation = waiting()
    negotiation.signal("offer", described("THEM", "x"), "unused")
    return negotiation


def connected() -> Negotiation:
    negotiation = connecting()
    negotiation.connected()
    return negotiation


def retrying() -> Negotiation:
    negotiation = connected()
    negotiation.failed("lost")
    return negotiation


def hung_up() -> Negotiation:
    negotiation = connected()
    negotiation.signal("hangup", {"callId": "x", "reason": "failed"}, "unused")
    return negotiation


def closing() -> Negotiation:
    negotiation = connected()
    negotiation.closed_remotely()
    return negotiation


def ask(negotiation: Negotiation, type: str, payload: Any) -> list[Effect]:
    return negotiation.signal(type, payload, "fresh")
