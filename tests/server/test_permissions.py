"""The table of who may do what: every cell, and that the rules and the server obey it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Raw

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.room import RoomState
from roomcall_server.rooms.outcome import Refused
from roomcall_server.rooms.permissions import ADMIN, TABLE, Action, Role, permitted
from roomcall_server.rooms.room import Member, Room
from roomcall_server.rooms.rules import (
    calling,
    chatting,
    closing,
    leaving,
    moderating,
    settings,
)

NOW = datetime(2026, 1, 22, tzinfo=UTC)
INSIDE = {RoomState.ACTIVE, RoomState.IN_CALL}

# Written out once more, so that a slip in the table shows.
EXPECTED: dict[Action, dict[Role, set[RoomState]]] = {
    Action.ENTER: {Role.OUTSIDER: {RoomState.EMPTY, RoomState.ACTIVE, RoomState.IN_CALL}},
    Action.LEAVE: {Role.MEMBER: INSIDE, Role.HOST: INSIDE},
    Action.SEE_MEMBERS: {Role.MEMBER: INSIDE, Role.HOST: INSIDE, Role.ADMIN: set(RoomState)},
    Action.SIGNAL: {Role.MEMBER: INSIDE, Role.HOST: INSIDE},
    Action.CHAT: {Role.MEMBER: INSIDE, Role.HOST: INSIDE},
    Action.READ_CHAT: {Role.MEMBER: INSIDE, Role.HOST: INSIDE},
    Action.SET_MEDIA_STATE: {Role.MEMBER: INSIDE, Role.HOST: INSIDE},
    Action.UPDATE: {Role.HOST: INSIDE, Role.ADMIN: set(RoomState)},
    Action.CLOSE: {Role.HOST: INSIDE, Role.ADMIN: set(RoomState)},
    Action.TRANSFER_HOST: {Role.HOST: INSIDE},
    Action.REMOVE: {Role.HOST: INSIDE, Role.ADMIN: INSIDE},
    Action.UNBAN: {Role.HOST: INSIDE},
    Action.MUTE: {Role.HOST: INSIDE, Role.ADMIN: INSIDE},
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", RoomState)
def test_every_cell(action: Action, role: Role, state: RoomState) -> None:
    assert permitted(role, action, state) == (state in EXPECTED[action].get(role, set()))


def test_every_action_is_in_the_table() -> None:
    assert set(TABLE) == set(Action)


def room_in(state: RoomState) -> Room:
    room = Room(id="room", name="x", created_at=NOW, opened=state is not RoomState.SCHEDULED)
    if state not in INSIDE:
        return room
    for id, privileged in [("host", False), ("deputy", True), ("member", False)]:
        member = Member(id=id, display_name="", joined_at=NOW, privileged=privileged)
        room = room.with_member(member, host="host")
    if state is RoomState.ACTIVE:
        return room
    offer = requests.Offer(room_id="room", to="member", payload=Raw(b"{}"))
    answer = requests.Answer(room_id="room", to="host", payload=Raw(b"{}"))
    room = calling.signal(room, "host", offer).room or room
    return calling.signal(room, "member", answer).room or room


ROOM = requests.RoomRef("room")


def update(room: Room, client: str) -> Any:
    request = requests.UpdateRoom(requests.UpdateRoomPayload(room_id="room", locked=True))
    return settings.update(room, client, request, None, NOW)


def remove(room: Room, client: str) -> Any:
    target = "member" if client != "member" else "deputy"
    payload = requests.RemoveMemberPayload(room_id="room", member_id=target)
    return moderating.remove_member(room, client, requests.RemoveMember(payload), NOW)


def mute(room: Room, client: str) -> Any:
    target = "member" if client != "member" else "deputy"
    payload = requests.MuteMemberPayload(room_id="room", member_id=target, kind="all")
    return moderating.mute_member(room, client, requests.MuteMember(payload))


def transfer(room: Room, client: str) -> Any:
    request = requests.TransferHost(requests.MemberRef("room", "member"))
    return moderating.transfer_host(room, client, request)


def unban(room: Room, client: str) -> Any:
    request = requests.UnbanMember(requests.MemberRef("room", "nobody"))
    return moderating.unban_member(room, client, request)


def set_media(room: Room, client: str) -> Any:
    request = requests.SetMediaState(requests.SetMediaStatePayload(room_id="room"))
    return moderating.set_media_state(room, client, request)


def signal(room: Room, client: str) -> Any:
    target = "member" if client != "member" else "host"
    return calling.signal(room, client, requests.Hangup(room_id="room", to=target))


RULES: dict[Action, Any] = {
    Action.LEAVE: lambda room, by: leaving.leave(room, by, requests.LeaveRoom(ROOM), NOW),
    Action.SIGNAL: signal,
    Action.CHAT: lambda room, by: chatting.chat(
        room, by, requests.Chat(room_id="room", payload=""), NOW
    ),
    Action.SET_MEDIA_STATE: set_media,
    Action.UPDATE: update,
    Action.CLOSE: lambda room, by: closing.close(room, by, requests.CloseRoom(ROOM), NOW),
    Action.TRANSFER_HOST: transfer,
    Action.REMOVE: remove,
    Action.UNBAN: unban,
    Action.MUTE: mute,
}
WHO = {
    "host": Role.HOST,
    "deputy": Role.HOST,
    "member": Role.MEMBER,
    "stranger": Role.OUTSIDER,
    ADMIN: Role.ADMIN,
}


@pytest.mark.parametrize("action", RULES)
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("state", RoomState)
def test_the_rules_obey_the_table(action: Action, who: str, state: RoomState) -> None:
    if state not in INSIDE and WHO[who] not in (Role.OUTSIDER, Role.ADMIN):
        return  # nobody is in such a room
    try:
        RULES[action](room_in(state), who)
        allowed = True
    except Refused as refused:
        allowed = refused.code not in (ErrorCode.FORBIDDEN, ErrorCode.NOT_IN_ROOM)
        if not allowed:
            outside = WHO[who] is Role.OUTSIDER
            assert (refused.code is ErrorCode.NOT_IN_ROOM) == outside
    assert allowed == permitted(WHO[who], action, state)
