"""`create-room`, `join-room` and `leave-room`."""

from uuid import UUID, uuid4

from roomcall.protocol import requests
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..clients.session import Session
from ..rooms.outcome import Refused
from ..rooms.room import Room
from ..rooms.rules import entering, leaving, settings
from ..store.base import Conflict
from .context import Context


async def create_room(context: Context, client: Client, request: requests.CreateRoom) -> None:
    wanted = request.payload
    room = await make(context, str(uuid4()), wanted.name, wanted)
    while True:
        session = await _session(context, client)
        try:
            return await context.rooms.add(room, entering.create(room, session, request))
        except Conflict:
            continue


async def join_room(context: Context, client: Client, request: requests.JoinRoom) -> None:
    wanted = request.payload
    if wanted.room_id is None and wanted.name is None:
        raise Refused(ErrorCode.BAD_REQUEST, "roomId or name: one of them is needed")
    made: Room | None = None
    proven: str | None = None
    while True:
        session = await _session(context, client)
        found = await _find(context, wanted)
        if found is None:
            made = made or await _make_wanted(context, session, wanted)
            proven = made.password
            room, now = made, made.created_at
        else:
            room, now = found, context.rooms.now()
        try:
            outcome = entering.join(room, session, request, now, proven)
            if found is None:
                return await context.rooms.add(room, outcome)
            return await context.rooms.commit(found, outcome)
        except Conflict:
            continue
        except Refused as refused:
            # Only now is it worth the slow work: every other reason to refuse comes before.
            if refused.code is not ErrorCode.WRONG_PASSWORD or not wanted.password:
                raise
            assert room.password is not None
            if not await context.passwords.verify(wanted.password, room.password):
                raise
            proven = room.password


async def leave_room(context: Context, client: Client, request: requests.LeaveRoom) -> None:
    await context.rooms.change(
        request.payload.room_id,
        lambda room: leaving.leave(room, client.id, request, context.rooms.now()),
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


async def _make_wanted(
    context: Context, session: Session, wanted: requests.JoinRoomPayload
) -> Room:
    """The room that a join makes, where it may."""
    if not wanted.create:
        raise Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such room")
    if wanted.name is None:
        raise Refused(ErrorCode.BAD_REQUEST, "name: needed to make the room")
    if wanted.room_id is not None:
        await context.rooms.check_not_closed(wanted.room_id)
    entering.check_may_create(session)
    return await make(context, _new_id(wanted.room_id), wanted.name, wanted)


async def make(context: Context, id: str, name: str, wanted: requests.RoomSettings) -> Room:
    """A room to be added. Raises `Refused`."""
    now = context.rooms.now()
    settings.check_settings(wanted, context.config.max_empty_ttl, now)
    password = await context.passwords.hash(wanted.password) if wanted.password else None
    return entering.make(id, name, wanted, password, now, context.config.empty_ttl)


def _new_id(wanted: str | None) -> str:
    if wanted is None:
        return str(uuid4())
    try:
        if str(UUID(wanted)) == wanted:
            return wanted
    except ValueError:
        pass
    raise Refused(ErrorCode.BAD_REQUEST, "roomId: not a UUID in lower case")
