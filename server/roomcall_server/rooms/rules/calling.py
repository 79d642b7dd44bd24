"""Signals between two members, and which pairs have a call.

Rules of this file:
1. Both are members of the room. The payload goes out as it came, and is never looked into.
2. An offer waits for its answer until a `hangup` of its pair. An answer to an offer that waits
   makes a call of the pair; a `hangup` of either side ends it.
3. The signal is delivered first, then the `room-state` that it causes.
4. The room stays the same value unless a pair's state changes.
"""

from msgspec.structs import replace

from roomcall.protocol import replies, requests
from roomcall.protocol.errors import ErrorCode

from ..outcome import Outcome, Refused, Send
from ..permissions import Action, check, check_member
from ..room import Room, pair
from .leaving import state_change

_SIGNALED: dict[type[requests.Signal], type[replies.Signaled]] = {
    requests.Offer: replies.OfferSignaled,
    requests.Answer: replies.AnswerSignaled,
    requests.IceCandidate: replies.IceCandidateSignaled,
    requests.Hangup: replies.HangupSignaled,
    requests.Renegotiate: replies.RenegotiateSignaled,
}

_OF_NO_STATE = (requests.IceCandidate, requests.Renegotiate)


def signal(room: Room, client: str, request: requests.Signal) -> Outcome:
    if request.to == client:
        raise Refused(ErrorCode.BAD_REQUEST, "to: a signal to oneself")
    check(room, client, Action.SIGNAL)
    check_member(room, request.to)
    sent = Send((request.to,), signaled(client, request))
    if isinstance(request, _OF_NO_STATE):
        return Outcome(room=room, effects=(sent,))
    after = _with_pair(room, client, request)
    return Outcome(room=after, effects=(sent, *state_change(room, after)))


def signaled(sender: str, request: requests.Signal) -> replies.Signaled:
    """What the target gets."""
    return _SIGNALED[type(request)](sender=sender, room_id=request.room_id, payload=request.payload)


def _with_pair(room: Room, sender: str, request: requests.Signal) -> Room:
    both = pair(sender, request.to)
    ways = {(sender, request.to), (request.to, sender)}
    match request:
        case requests.Offer() if both not in room.calls:
            if (sender, request.to) not in room.offers:
                return replace(room, offers=room.offers | {(sender, request.to)})
        case requests.Answer() if both not in room.calls:
            if (request.to, sender) in room.offers:
                return replace(room, offers=room.offers - ways, calls=room.calls | {both})
        case requests.Hangup() if both in room.calls or ways & room.offers:
            return replace(room, offers=room.offers - ways, calls=room.calls - {both})
    return room
