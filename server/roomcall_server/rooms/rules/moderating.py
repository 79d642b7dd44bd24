"""What the host may do with others: hand over, remove, ban, mute.

Rules of this file:
1. None of it is for oneself: that is a `bad-request`. The office cannot go to who has it.
2. A ban also ends every place in the queue that it holds for.
3. Who is muted hears it once more by itself, and only where that is a change.
"""

from datetime import datetime

from msgspec.structs import replace

from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.replies import (
    Error,
    HostChanged,
    MemberLeft,
    MemberUnbanned,
    MemberUpdated,
    Muted,
    Removed,
)
from roomcall.protocol.requests import (
    MuteMember,
    RemoveMember,
    SetMediaState,
    TransferHost,
    UnbanMember,
)

from ..outcome import Effect, Outcome, Refused, Send, tell, tell_all
from ..permissions import Action, check, check_member
from ..room import Ban, Member, Room
from ..views import wire_member
from .leaving import departure, settle, without
from .waiting import drop


def transfer_host(room: Room, client: str, request: TransferHost) -> Outcome:
    target = request.payload.member_id
    check(room, client, Action.TRANSFER_HOST)
    if target == room.host:
        raise Refused(ErrorCode.BAD_REQUEST, "memberId: is the host already")
    check_member(room, target)
    news = HostChanged(room_id=room.id, host=target)
    reply = replace(news, request_id=request.request_id)
    return Outcome(room=replace(room, host=target), effects=tell_all(room, client, reply, news))


def remove_member(room: Room, client: str, request: RemoveMember, now: datetime) -> Outcome:
    target = request.payload.member_id
    _not_oneself(client, target)
    check(room, client, Action.REMOVE)
    check_member(room, target)
    after = without(room, target, now)
    reply = MemberLeft(
        request_id=request.request_id,
        room_id=room.id,
        member_id=target,
        participants=list(after.members),
        reason="removed",
    )
    removed = Removed(room_id=room.id, reason=request.payload.reason)
    effects: tuple[Effect, ...] = (Send((client,), reply), Send((target,), removed))
    effects += departure(room, after, target, "removed", client)
    gone: tuple[str, ...] = (target,)
    if request.payload.ban:
        after, banned, refusals = _ban(after, room.members[target])
        gone, effects = gone + banned, effects + refusals
    return settle(room, after, now, effects, gone, "removed")


def unban_member(room: Room, client: str, request: UnbanMember) -> Outcome:
    target = request.payload.member_id
    check(room, client, Action.UNBAN)
    bans = tuple(ban for ban in room.bans if ban.member_id != target)
    if len(bans) == len(room.bans):
        raise Refused(ErrorCode.PEER_NOT_FOUND, "no such member is banned from this room")
    reply = MemberUnbanned(request_id=request.request_id, room_id=room.id, member_id=target)
    return Outcome(room=replace(room, bans=bans), effects=(Send((client,), reply),))


def mute_member(room: Room, client: str, request: MuteMember) -> Outcome:
    target, kind = request.payload.member_id, request.payload.kind
    _not_oneself(client, target)
    check(room, client, Action.MUTE)
    check_member(room, target)
    member = room.members[target]
    muted = replace(
        member,
        audio_muted=member.audio_muted or kind in ("audio", "all"),
        video_muted=member.video_muted or kind in ("video", "all"),
    )
    outcome = _update(room, client, muted, request)
    if muted == member:
        return outcome
    news = Muted(room_id=room.id, kind=kind, by=client)
    return Outcome(room=outcome.room, effects=(*outcome.effects, Send((target,), news)))


def set_media_state(room: Room, client: str, request: SetMediaState) -> Outcome:
    check(room, client, Action.SET_MEDIA_STATE)
    said = {
        name: value
        for name in ("audio_muted", "video_muted", "recording")
        if isinstance(value := getattr(request.payload, name), bool)
    }
    return _update(room, client, replace(room.members[client], **said), request)


def _update(
    room: Room, client: str, member: Member, request: MuteMember | SetMediaState
) -> Outcome:
    """Nobody but who asked is told of what was so before."""
    news = MemberUpdated(room_id=room.id, member=wire_member(room, member))
    reply = replace(news, request_id=request.request_id)
    if member == room.members[member.id]:
        return Outcome(room=room, effects=(Send((client,), reply),))
    after = room.with_member(member)
    return Outcome(room=after, effects=tell_all(after, client, reply, news))


def _ban(room: Room, member: Member) -> tuple[Room, tuple[str, ...], tuple[Effect, ...]]:
    ban = Ban(member.id, member.subject)
    held = tuple(waiting.id for waiting in room.queue if ban.holds_for(waiting.id, waiting.subject))
    after = drop(replace(room, bans=(*room.bans, ban)), *held)
    refusal = Error(
        code=ErrorCode.BANNED,
        message="you are banned from this room",
        request="join-room",
        room_id=room.id,
    )
    return after, held, tell(held, refusal)


def _not_oneself(client: str, target: str) -> None:
    if client == target:
        raise Refused(ErrorCode.BAD_REQUEST, "memberId: yourself")
