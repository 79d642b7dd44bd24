"""Rooms over HTTP: listed and shown to everybody as on the WebSocket, and ruled by the admin."""

from unicodedata import normalize
from uuid import uuid4

from msgspec import Struct

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode
from roomcall.protocol.requests import ListLimit
from roomcall.protocol.room import Kind, Member, Reason, Room, RoomRow

from ...rooms.outcome import Outcome, Refused
from ...rooms.permissions import ADMIN, check_member
from ...rooms.room import Room as Record
from ...rooms.views import wire_member, wire_room, wire_room_for, wire_row
from ...signaling import hosting, lobby, members
from ...store.base import Conflict
from .endpoint import Asked, Endpoint


class RoomsQuery(Struct, frozen=True):
    """As `list-rooms`. With `name` those of exactly that name, private ones too."""

    limit: ListLimit = 100
    after: str | None = None
    query: str = ""
    name: str | None = None


class RoomRows(Struct, frozen=True):
    """`next` is the `after` of the page that follows, null at the end."""

    rooms: list[RoomRow]
    next: str | None


class RemoveQuery(Struct, frozen=True):
    ban: bool = False
    reason: Reason = ""


class MuteBody(Struct, frozen=True):
    kind: Kind = "all"


class _Admin:
    """The one who asks, as rules know it."""

    id = ADMIN


async def list_rooms(asked: Asked) -> RoomRows:
    wanted: RoomsQuery = asked.query
    context = asked.service.context
    if wanted.name is not None:
        asked.require_admin()
        named = await context.store.rooms_named(normalize("NFC", wanted.name))
        return RoomRows([wire_row(room) for room in named], None)
    page = await lobby.visible_rooms(
        context,
        asked.caller.grant.room,
        requests.ListRoomsPayload(limit=wanted.limit, after=wanted.after, query=wanted.query),
    )
    return RoomRows([wire_row(room) for room in page.rooms], page.next)


async def create_room(asked: Asked) -> Room:
    wanted: requests.CreateRoomPayload = asked.body
    context = asked.service.context
    room = await members.make(context, str(uuid4()), wanted.name, wanted)
    while True:
        try:
            await context.rooms.add(room, Outcome(room=room))
        except Conflict:
            continue
        return wire_room(room)


async def show_room(asked: Asked) -> Room:
    """Who is inside is shown to the admin only; a token for another room shows nothing."""
    room = await _room(asked)
    if asked.caller.grant.room not in (None, room.id, room.public_name):
        raise Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such room")
    # The id of nobody who is in it: who asks by HTTP is no member.
    return wire_room(room) if asked.caller.admin else wire_room_for(room, "nobody")


async def update_room(asked: Asked) -> Room:
    changes: requests.RoomChanges = asked.body
    payload = requests.UpdateRoomPayload(
        room_id=asked.path["id"],
        **{name: getattr(changes, name) for name in changes.__struct_fields__},
    )
    await hosting.update_room(asked.service.context, _Admin(), requests.UpdateRoom(payload=payload))
    return wire_room(await _room(asked))


async def close_room(asked: Asked) -> None:
    request = requests.CloseRoom(payload=requests.RoomRef(asked.path["id"]))
    await hosting.close_room(asked.service.context, _Admin(), request)


async def remove_member(asked: Asked) -> None:
    wanted: RemoveQuery = asked.query
    room, member = await _member(asked)
    payload = requests.RemoveMemberPayload(
        room_id=room.id, member_id=member, reason=wanted.reason, ban=wanted.ban
    )
    request = requests.RemoveMember(payload=payload)
    await hosting.remove_member(asked.service.context, _Admin(), request)


async def mute_member(asked: Asked) -> Member:
    """The member as it is then."""
    wanted: MuteBody = asked.body
    room, member = await _member(asked)
    payload = requests.MuteMemberPayload(room_id=room.id, member_id=member, kind=wanted.kind)
    request = requests.MuteMember(payload=payload)
    await hosting.mute_member(asked.service.context, _Admin(), request)
    room, member = await _member(asked)
    return wire_member(room, room.members[member])


async def _room(asked: Asked) -> Record:
    return await asked.service.context.rooms.get(asked.path["id"])


async def _member(asked: Asked) -> tuple[Record, str]:
    room, member = await _room(asked), asked.path["memberId"]
    check_member(room, member)
    return room, member


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/rooms",
        summary="The public rooms, oldest first, a page at a time",
        handle=list_rooms,
        query=RoomsQuery,
        reply=RoomRows,
    ),
    Endpoint(
        method="POST",
        path="/api/rooms",
        summary="Make a room, without anybody in it",
        handle=create_room,
        body=requests.CreateRoomPayload,
        reply=Room,
        status=201,
        admin=True,
    ),
    Endpoint(
        method="GET",
        path="/api/rooms/{id}",
        summary="One room; who is inside is for the admin only",
        handle=show_room,
        reply=Room,
    ),
    Endpoint(
        method="PATCH",
        path="/api/rooms/{id}",
        summary="Change what a room is set to; what is not named stays",
        handle=update_room,
        body=requests.RoomChanges,
        reply=Room,
        admin=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/rooms/{id}",
        summary="Close a room",
        handle=close_room,
        admin=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/rooms/{id}/members/{memberId}",
        summary="Show a member out, with ban for good",
        handle=remove_member,
        query=RemoveQuery,
        admin=True,
    ),
    Endpoint(
        method="POST",
        path="/api/rooms/{id}/members/{memberId}/mute",
        summary="Have a member stop sending sound, pictures or both",
        handle=mute_member,
        body=MuteBody,
        reply=Member,
        admin=True,
    ),
)
