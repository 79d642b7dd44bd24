"""A room as it stands on the wire: for its members, for others, and as a row of a list."""

from msgspec.structs import replace

from roomcall.protocol import room as wire

from .permissions import Action, permitted, role_of
from .room import Member, Room


def wire_member(room: Room, member: Member) -> wire.Member:
    return wire.Member(
        id=member.id,
        display_name=member.display_name,
        role="host" if member.id == room.host else "member",
        joined_at=member.joined_at,
        audio_muted=member.audio_muted,
        video_muted=member.video_muted,
        recording=member.recording,
    )


def wire_room(room: Room) -> wire.Room:
    """The room as its members see it."""
    return wire.Room(
        id=room.id,
        name=room.name,
        created_at=room.created_at,
        host=room.host,
        max_participants=room.max_participants,
        participants=list(room.members),
        metadata=room.metadata,
        state=room.state,
        has_password=room.password is not None,
        locked=room.locked,
        queue_length=len(room.queue),
        opens_at=room.opens_at,
        closes_at=room.closes_at,
        members=[wire_member(room, member) for member in room.members.values()],
    )


def wire_room_for(room: Room, client: str) -> wire.Room:
    """The room for somebody who knows its id: who is inside is not for everybody."""
    if permitted(role_of(room, client), Action.SEE_MEMBERS, room.state):
        return wire_room(room)
    return replace(wire_room(room), host=None, participants=[], members=[])


def wire_row(room: Room) -> wire.RoomRow:
    return wire.RoomRow(
        id=room.id,
        name=room.name,
        participant_count=len(room.members),
        max_participants=room.max_participants,
        has_password=room.password is not None,
        locked=room.locked,
        state=room.state,
        description=room.metadata.description,
        created_at=room.created_at,
    )
