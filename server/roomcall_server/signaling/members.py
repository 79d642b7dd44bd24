"""`create-room`, `join-room` and `leave-room`."""

from datetime import datetime
from uuid import UUID, uuid4

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..clients.session import Session
from ..rooms.outcome import Refused
from ..rooms.room import Room
from ..rooms.rules import entering, leaving
from ..store.base import Conflict
from .context import Context


async def create_room(context: Context, client: Client, request: requests.CreateRoom) -> None:
    while True:
        session = await _session(context, client)
        now = context.rooms.now()
        room = entering.make(str(uuid4()), request.payload.name, request.payload, now)
        try:
            return await context.rooms.add(room, entering.create(room, session, request, now))
        except Conflict:
            continue


async def join_room(context: Context, client: Client, request: requests.JoinRoom) -> None:
    wanted = request.payload
    if wanted.room_id is None and wanted.name is None:
        raise Refused(ErrorCode.BAD_REQUEST, "roomId or name: one of them is needed")
    while True:
        session = await _session(context, client)
        now = context.rooms.now()
        room = await _find(context, wanted)
        try:
            if room is not None:
                outcome = entering.join(room, session, request, now)
                return await context.rooms.commit(room, outcome)
            room = _make(wanted, now)
            return await context.rooms.add(room, entering.join(room, session, request, now))
        except Conflict:
            continue


async def leave_room(context: Context, client: Client, request: requests.LeaveRoom) -> None:
    await context.rooms.change(
        request.payload.room_id, lambda room: leaving.leave(room, client.id, request)
    )


async def _session(context: Context, client: Client) -> Session:
    session = await context.store.session(client.id)
    assert session is not None, "it lives at least as long as its client"
    return session


async def _find(context: Context, wanted: requests.JoinRoomPayload) -> Room | None:
    """The room that is meant. An id is never a name."""
    if wanted.room_id is not None:
        return await context.store.room(wanted.room_id)
    assert wanted.name is not None
    return await context.store.room_named(wanted.name)


def _make(wanted: requests.JoinRoomPayload, now: datetime) -> Room:
    """The room that the join makes, where it may."""
    if not wanted.create:
        raise Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such room")
    if wanted.name is None:
        raise Refused(ErrorCode.BAD_REQUEST, "name: needed to make the room")
    return entering.make(_new_id(wanted.room_id), wanted.name, wanted, now)


def _new_id(wanted: str | None) -> str:
    if wanted is None:
        return str(uuid4())
    try:
        if str(UUID(wanted)) == wanted:
            return wanted
    except ValueError:
        pass
    raise Refused(ErrorCode.BAD_REQUEST, "roomId: not a UUID in lower case")
