"""The model: who is in which room, who waits, and what time does to either."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.server.model.room import Message, Room

MAX_ROOMS = 3  # a client may be in
GRACE = timedelta(seconds=10)
BEGIN = datetime(2026, 1, 22, tzinfo=UTC)


class Refusal(Exception):
    """With the code of the `error`."""


class Places:
    """`told` holds what each client is to hear, until it is taken from there.

    A message names only the fields that are compared.
    """

    def __init__(self) -> None:
        self.now = BEGIN
        self.rooms: dict[str, Room] = {}  # in the order of making
        self.closed: set[str] = set()
        self.away: dict[str, datetime] = {}  # since when
        self.told: defaultdict[str, list[Message]] = defaultdict(list)

    # What the machine asks and says

    def rooms_of(self, client: str) -> set[str]:
        """Where it is, and where it waits."""
        rooms = self.rooms.values()
        return {room.id for room in rooms if client in room.members or client in room.queue}

    def asks_password(self, asker: str, room: Room) -> bool:
        """Does its join get as far as the password?"""
        try:
            self._check_may_join(asker, room, {})
        except Refusal:
            return False
        return room.password is not None

    def end(self, client: str) -> None:
        """Its session is over."""
        for id in self.rooms_of(client):
            room = self.rooms[id]
            if client in room.members:
                self._depart(room, client, "disconnected")
            else:
                self._leave_queue(room, client)
        self.away.pop(client, None)
        self.told.pop(client, None)

    def lose(self, client: str) -> None:
        self.away[client] = self.now

    def come_back(self, client: str) -> None:
        """Out of its grace: it takes the place that it was skipped for."""
        if self.away.pop(client, None) is not None:
            for id in self.rooms_of(client):
                self._settle(self.rooms[id], list(self.rooms[id].queue))

    def due(self) -> list[datetime]:
        """When something happens by itself."""
        times = [since + GRACE for since in self.away.values()]
        for room in self.rooms.values():
            times += filter(None, (room.closes_at, room.vanishes_at))
            times += filter(None, [None if room.opened else room.opens_at])
        return times

    def pass_time(self) -> list[str]:
        """What is due happens. Whose grace has ended."""
        for room in list(self.rooms.values()):
            if room.closes_at is not None and room.closes_at <= self.now:
                self._close(room)
            elif not room.opened and room.opens_at is not None and room.opens_at <= self.now:
                room.opened = True
                self._settle(room, list(room.queue))
            else:
                self._vanish(room)
        ended = [id for id, since in self.away.items() if since + GRACE <= self.now]
        for client in ended:
            self.end(client)
        return ended

    # Telling

    def _reply(self, asker: str, request: Message, type: str, /, **fields: Any) -> None:
        self.told[asker].append({"type": type, "requestId": request["requestId"], **fields})

    def _tell(self, ids: Iterable[str], type: str, /, **fields: Any) -> None:
        for id in ids:
            self.told[id].append({"type": type, "requestId": None, **fields})

    def _tell_all(
        self, room: Room, asker: str, request: Message, type: str, /, **fields: Any
    ) -> None:
        self._reply(asker, request, type, **fields)
        self._tell((id for id in room.members if id != asker), type, **fields)

    def _tell_state(self, room: Room, before: str) -> None:
        if room.state != before:
            self._tell(room.members, "room-state", roomId=room.id, state=room.state)

    def _tell_positions(self, room: Room, queue: list[str]) -> None:
        for position, id in enumerate(room.queue):
            if id in queue and queue.index(id) != position:
                self._tell([id], "queued", roomId=room.id, position=position + 1)

    # Coming in

    def _public(self, name: str) -> Room | None:
        rooms = self.rooms.values()
        return next((room for room in rooms if room.name == name and not room.private), None)

    def _make(self, wanted: Message, id: str) -> Room:
        room = Room(
            id=id,
            name=wanted["name"],
            made_at=self.now,
            private=wanted.get("metadata", {}).get("private", False),
            limit=wanted.get("maxParticipants", 0),
            password=wanted.get("password"),
            ttl=timedelta(seconds=wanted.get("emptyTtlSeconds", 0)),
            opens_at=_time(wanted.get("opensAt")),
            closes_at=_time(wanted.get("closesAt")),
            opened=wanted.get("opensAt") is None,
        )
        if not room.private and self._public(room.name) is not None:
            raise Refusal("name-taken")
        return room

    def _create(self, asker: str, request: Message, wanted: Message, new_id: str) -> None:
        if wanted.get("opensAt") is None and len(self.rooms_of(asker)) >= MAX_ROOMS:
            raise Refusal("too-many-rooms")
        room = self.rooms[new_id] = self._make(wanted, new_id)
        if room.opened:
            room.members[asker] = media()
            room.host = asker
        self._reply(asker, request, "room-created", room=room.wire())

    def _join(self, asker: str, request: Message, wanted: Message, new_id: str) -> None:
        id = wanted.get("roomId")
        room = self.rooms.get(id) if id is not None else self._public(wanted["name"])
        if room is None:
            if not wanted.get("create") or id in self.closed:
                raise Refusal("room-not-found")
            if len(self.rooms_of(asker)) >= MAX_ROOMS:
                raise Refusal("too-many-rooms")
            room = self.rooms[id or new_id] = self._make(wanted, id or new_id)
            return self._admit(room, asker, request)
        queue = list(room.queue)
        self._check_may_join(asker, room, wanted)
        if room.password not in (None, wanted.get("password")):
            raise Refusal("wrong-password")
        others_wait = any(id not in self.away for id in queue if id != asker)
        if room.opened and not room.full and not others_wait:
            if asker in queue:
                room.queue.remove(asker)
            self._admit(room, asker, request)
            self._tell_positions(room, queue)
        elif not wanted.get("waitIfFull"):
            raise Refusal("room-full")
        else:
            if asker not in queue:
                room.queue.append(asker)
            position = room.queue.index(asker) + 1
            self._reply(asker, request, "queued", roomId=room.id, position=position)

    def _check_may_join(self, asker: str, room: Room, wanted: Message) -> None:
        """All that is asked before the password."""
        if asker in room.members:
            raise Refusal("already-in-room")
        if asker in room.banned:
            raise Refusal("banned")
        if asker not in room.queue and len(self.rooms_of(asker)) >= MAX_ROOMS:
            raise Refusal("too-many-rooms")
        if not room.opened and not wanted.get("waitIfFull"):
            raise Refusal("room-not-open")
        if room.locked:
            raise Refusal("room-locked")

    def _admit(self, room: Room, client: str, request: Message | None = None) -> None:
        others = list(room.members)
        room.members[client] = media()
        room.host = room.host or client
        if request is not None:
            self._reply(client, request, "room-joined", room=room.wire())
        else:
            self._tell([client], "room-joined", room=room.wire())
        fields = {"participants": [*others, client], "member": room.wire_member(client)}
        self._tell(others, "member-joined", roomId=room.id, memberId=client, **fields)

    def _waiting(self, room: Room) -> Iterator[str]:
        """Those who could come in, the first first."""
        while room.opened and not room.locked and not room.full:
            first = next((id for id in room.queue if id not in self.away), None)
            if first is None:
                return
            yield first

    def _settle(self, room: Room, queue: list[str]) -> None:
        """Places are given, then the room goes where nobody is left. `queue`: as it was."""
        for first in self._waiting(room):
            room.queue.remove(first)
            self._admit(room, first)
        self._tell_positions(room, queue)
        self._vanish(room)

    # Going out

    def _depart(self, room: Room, client: str, reason: str, *told: str) -> None:
        state = room.state
        del room.members[client]
        room.signals = [signal for signal in room.signals if client not in signal]
        if not room.members:
            room.emptied_at = self.now
        fields = {"memberId": client, "participants": list(room.members), "reason": reason}
        staying = [id for id in room.members if id not in told]
        self._tell(staying, "member-left", roomId=room.id, **fields)
        if room.host == client:
            connected = [id for id in room.members if id not in self.away]
            room.host = next(iter(connected or room.members), None)
            self._tell(room.members, "host-changed", roomId=room.id, host=room.host)
        self._tell_state(room, state)
        self._settle(room, list(room.queue))

    def _leave_queue(self, room: Room, client: str) -> None:
        queue = list(room.queue)
        room.queue.remove(client)
        self._settle(room, queue)

    def _close(self, room: Room, *told: str) -> None:
        inside = [*room.members, *room.queue]
        self._tell((id for id in inside if id not in told), "room-closed", roomId=room.id)
        del self.rooms[room.id]
        self.closed.add(room.id)

    def _vanish(self, room: Room) -> None:
        if room.vanishes_at is not None and room.vanishes_at <= self.now:
            self._tell(room.queue, "room-closed", roomId=room.id)
            del self.rooms[room.id]


def media() -> dict[str, bool]:
    """What one that has come in says of itself."""
    return {"audioMuted": False, "videoMuted": False, "recording": False}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
