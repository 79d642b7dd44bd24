"""What the steps are drawn from: who does what, where, and to whom."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.server.model.caller import Caller
from tests.server.model.machine import Machine
from tests.server.model.room import Message, Room

NOWHERE = "00000000-0000-4000-8000-000000000000"
OWN_IDS = [f"00000000-0000-4000-8000-{number:012}" for number in (1, 2)]

N = st.integers(0, 63)  # the n-th of those there are, again from the first after the last
NAMES = st.sampled_from(["den", "hall", "loft"])
PASSWORDS = st.sampled_from([None, None, None, "open", "sesame"])
LIMITS = st.sampled_from([0, 1, 1, 2, 2, 3])
METADATA = st.fixed_dictionaries({"private": st.booleans()})
TTLS = st.sampled_from([0, 60])
SETTINGS = st.fixed_dictionaries(
    {
        "maxParticipants": LIMITS,
        "metadata": METADATA,
        "password": PASSWORDS,
        "emptyTtlSeconds": TTLS,
    }
)
CHANGES = st.one_of(
    st.fixed_dictionaries({name: values})
    for name, values in {
        "maxParticipants": LIMITS,
        "locked": st.sampled_from([True, True, False]),
        "name": NAMES,
        "metadata": METADATA,
        "password": PASSWORDS,
        "emptyTtlSeconds": TTLS,
    }.items()
)
SAID = st.dictionaries(st.sampled_from(["audioMuted", "videoMuted", "recording"]), st.booleans())
MEANWHILE: dict[str, tuple[str, Message]] = {
    "leave": ("leave-room", {}),
    "close": ("close-room", {}),
    "lock": ("update-room", {"locked": True}),
    "fill": ("update-room", {"maxParticipants": 1}),
    "open": ("update-room", {"password": None}),
}
KINDS = st.sampled_from(["audio", "video", "all"])
SIGNALS = st.sampled_from(["offer", "answer", "hangup", "ice-candidate", "renegotiate"])
EXCHANGES = st.lists(
    st.tuples(
        st.sampled_from(["offer", "offer", "answer", "answer", "hangup", "again"]), st.booleans()
    ),
    min_size=2,
    max_size=6,
)


class Drawing(Machine):
    """A number that is drawn chooses among those that are there, mostly so that it makes sense."""

    def room(self, n: int) -> str:
        """Mostly one with members; also an empty one, one that is gone, one that never was."""
        inhabited = [room.id for room in self.model.rooms.values() if room.members]
        places = inhabited * 5 + [*self.model.rooms, *self.past[-1:], NOWHERE]
        return places[n % len(places)]

    def inhabited(self, r: int) -> Room:
        rooms = [room for room in self.model.rooms.values() if room.members]
        return rooms[r % len(rooms)]

    def speaker(self, n: int, room: str = NOWHERE) -> Caller:
        """One whose line is whole; mostly the host of the room, or a member of it."""
        live = {caller.id: caller for caller in self.callers if caller.live}
        found = self.model.rooms.get(room)
        inside = [found.host, *found.members] * 3 if found is not None else []
        pool = [live[id] for id in inside if id in live] + list(live.values())
        return pool[n % len(pool)] if pool else self.connect()

    def outsider(self, n: int, room: str) -> Caller:
        """Mostly one that is not in the room."""
        live = [caller for caller in self.callers if caller.live]
        found = self.model.rooms.get(room)
        outside = [c for c in live if found is not None and c.id not in found.members]
        pool = outside * 4 + live
        return pool[n % len(pool)] if pool else self.connect()

    def target(self, n: int, room: str, by: Caller) -> str:
        """Mostly another member of the room."""
        found = self.model.rooms.get(room)
        others = [id for id in found.members if id != by.id] if found is not None else []
        pool = others * 4 + [by.id, NOWHERE, *(caller.id for caller in self.callers)]
        return pool[n % len(pool)]

    def at(self, seconds: int | None) -> str | None:
        """So far from now."""
        if seconds is None:
            return None
        return (self.model.now + timedelta(seconds=seconds)).isoformat()
