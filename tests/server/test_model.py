"""Whatever clients do, and in whatever order: the server beside a model of the protocol.

Steps are drawn at random, also those that must be refused. After each one, what every client has
heard is compared with the model; beside that stands what must hold without any model.
"""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_state_machine

from tests.server.model.drawing import (
    CHANGES,
    EXCHANGES,
    KINDS,
    LIMITS,
    MEANWHILE,
    NAMES,
    NOWHERE,
    OWN_IDS,
    PASSWORDS,
    SAID,
    SETTINGS,
    SIGNALS,
    Drawing,
    N,
)
from tests.server.model.room import Message

in_use = precondition(lambda self: any(room.members for room in self.model.rooms.values()))


class Server(Drawing):
    # Connections, and time

    @initialize(limit=LIMITS)
    def begin(self, limit: int) -> None:
        """Something to begin with, so that fewer steps are refused."""
        for _ in range(4):
            self.connect()
        self.say(self.callers[0], "create-room", {"name": "den", "maxParticipants": limit})
        for caller in self.callers[1:]:
            self.say(caller, "join-room", {"name": "den", "waitIfFull": True})

    @precondition(lambda self: len(self.callers) < 6)
    @rule(token=st.sampled_from([None, "unknown"]))
    def arrive(self, token: str | None) -> None:
        self.connect(token)
        self.check()

    @precondition(lambda self: len(self.callers) > 2)
    @rule(n=N)
    def say_goodbye(self, n: int) -> None:
        caller = self.speaker(n)
        assert caller.line is not None
        self.run(self.depart(caller, caller.line, goodbye=True))
        self.gone(caller)
        self.check()

    @rule(n=N, noticed=st.booleans())
    def break_line(self, n: int, noticed: bool) -> None:
        caller = self.speaker(n)
        assert caller.line is not None
        caller.line.dead = True
        if noticed:
            self.notice(caller)

    @precondition(lambda self: any(caller.line and caller.line.dead for caller in self.callers))
    @rule()
    def notice_a_break(self) -> None:
        self.notice(next(caller for caller in self.callers if caller.line and caller.line.dead))

    @precondition(lambda self: any(not caller.live for caller in self.callers))
    @rule(n=N, counts=st.booleans(), breaks=st.booleans())
    def come_back(self, n: int, counts: bool, breaks: bool) -> None:
        lost = [caller for caller in self.callers if not caller.live]
        self.resume(lost[n % len(lost)], counts, breaks=breaks)

    @rule(n=N, counts=st.booleans(), breaks=st.booleans())
    def take_over(self, n: int, counts: bool, breaks: bool) -> None:
        """Resumed while the line is whole."""
        self.resume(self.speaker(n), counts, breaks=breaks)

    @precondition(lambda self: self.next_due() is not None)
    @rule()
    def time_passes(self) -> None:
        """Until a grace ends, or a room opens, closes or vanishes."""
        due = self.next_due()
        assert due is not None
        self.wait(due)

    # Rooms

    @rule(
        n=N,
        name=NAMES,
        wanted=SETTINGS,
        opens=st.sampled_from([None, None, None, 5]),
        closes=st.sampled_from([None, None, None, 20]),
    )
    def create_room(
        self, n: int, name: str, wanted: Message, opens: int | None, closes: int | None
    ) -> None:
        times = {"opensAt": self.at(opens), "closesAt": self.at(closes)}
        self.say(self.speaker(n), "create-room", {"name": name, **wanted, **times})

    @rule(n=N, r=N, wait=st.booleans(), password=PASSWORDS)
    def join_room(self, n: int, r: int, wait: bool, password: str | None) -> None:
        room = self.room(r)
        payload = {"roomId": room, "waitIfFull": wait, "password": password}
        self.say(self.outsider(n, room), "join-room", payload)

    @rule(n=N, name=NAMES, id=st.sampled_from([None, *OWN_IDS]), wanted=SETTINGS)
    def join_or_make(self, n: int, name: str, id: str | None, wanted: Message) -> None:
        payload = {"name": name, "create": True, "waitIfFull": n % 2 == 0, **wanted}
        self.say(self.speaker(n), "join-room", {**payload, "roomId": id} if id else payload)

    @in_use
    @rule(r=N)
    def all_want_in(self, r: int) -> None:
        room = self.inhabited(r)
        payload = {"roomId": room.id, "password": room.password, "waitIfFull": True}
        for caller in [caller for caller in self.callers if caller.live]:
            self.say(caller, "join-room", payload)

    @rule(n=N, name=NAMES)
    def join_by_name(self, n: int, name: str) -> None:
        self.say(self.speaker(n), "join-room", {"name": name, "waitIfFull": True})

    @precondition(lambda self: any(not room.opened for room in self.model.rooms.values()))
    @rule(n=N, r=N, wait=st.booleans())
    def join_before_it_opens(self, n: int, r: int, wait: bool) -> None:
        rooms = [room for room in self.model.rooms.values() if not room.opened]
        room = rooms[r % len(rooms)]
        payload = {"roomId": room.id, "password": room.password, "waitIfFull": wait}
        self.say(self.outsider(n, room.id), "join-room", payload)

    @in_use
    @rule(n=N, r=N)
    def leave_room(self, n: int, r: int) -> None:
        self.say(self.speaker(n, self.room(r)), "leave-room", {"roomId": self.room(r)})

    @in_use
    @rule(n=N, r=N, change=CHANGES)
    def update_room(self, n: int, r: int, change: Message) -> None:
        payload = {"roomId": self.room(r), **change}
        self.say(self.speaker(n, self.room(r)), "update-room", payload)

    @precondition(lambda self: any(room.queue and room.host for room in self.model.rooms.values()))
    @rule(r=N, change=CHANGES)
    def update_while_somebody_waits(self, r: int, change: Message) -> None:
        rooms = [room for room in self.model.rooms.values() if room.queue and room.host]
        room = rooms[r % len(rooms)]
        hosts = [caller for caller in self.callers if caller.live and caller.id == room.host]
        for host in hosts:
            self.say(host, "update-room", {"roomId": room.id, **change})

    @precondition(lambda self: any(room.queue for room in self.model.rooms.values()))
    @rule(r=N, back=st.booleans())
    def miss_a_place(self, r: int, back: bool) -> None:
        """One that waits is lost while a place becomes free."""
        rooms = [room for room in self.model.rooms.values() if room.queue]
        room = rooms[r % len(rooms)]
        waiting = [caller for caller in self.callers if caller.live and caller.id in room.queue]
        leaving = [caller for caller in self.callers if caller.live and caller.id in room.members]
        for caller, other in zip(waiting[:1], leaving, strict=False):
            assert caller.line is not None
            caller.line.dead = True
            self.notice(caller)
            self.say(other, "leave-room", {"roomId": room.id})
            if back:
                self.resume(caller, counts=True)

    @precondition(lambda self: len(self.model.rooms) > 2)
    @rule(n=N, r=N)
    def close_room(self, n: int, r: int) -> None:
        self.say(self.speaker(n, self.room(r)), "close-room", {"roomId": self.room(r)})

    # Members

    def do_to_member(self, n: int, m: int, r: int, type: str, **fields: Any) -> None:
        room = self.room(r)
        by = self.speaker(n, room)
        self.say(by, type, {"roomId": room, "memberId": self.target(m, room, by), **fields})

    @in_use
    @rule(n=N, m=N, r=N)
    def transfer_host(self, n: int, m: int, r: int) -> None:
        self.do_to_member(n, m, r, "transfer-host")

    @in_use
    @rule(n=N, m=N, r=N, ban=st.booleans())
    def remove_member(self, n: int, m: int, r: int, ban: bool) -> None:
        self.do_to_member(n, m, r, "remove-member", ban=ban)

    @in_use
    @rule(n=N, m=N, r=N, kinds=st.lists(KINDS, min_size=1, max_size=3))
    def mute_member(self, n: int, m: int, r: int, kinds: list[str]) -> None:
        for kind in kinds:
            self.do_to_member(n, m, r, "mute-member", kind=kind)

    @in_use
    @rule(n=N, m=N, r=N)
    def unban_member(self, n: int, m: int, r: int) -> None:
        room = self.inhabited(r)
        pool = [*room.banned, NOWHERE]
        payload = {"roomId": room.id, "memberId": pool[m % len(pool)]}
        self.say(self.speaker(n, room.id), "unban-member", payload)

    @in_use
    @rule(n=N, r=N)
    def come_back_in(self, n: int, r: int) -> None:
        """One who is banned, where there is one."""
        room = self.inhabited(r)
        banned = [caller for caller in self.callers if caller.live and caller.id in room.banned]
        if banned:
            self.say(banned[n % len(banned)], "join-room", {"roomId": room.id})

    @in_use
    @rule(n=N, r=N, said=SAID)
    def set_media_state(self, n: int, r: int, said: Message) -> None:
        payload = {"roomId": self.room(r), **said}
        self.say(self.speaker(n, self.room(r)), "set-media-state", payload)

    @in_use
    @rule(n=N, m=N, r=N, type=SIGNALS)
    def signal(self, n: int, m: int, r: int, type: str) -> None:
        room = self.room(r)
        by = self.speaker(n, room)
        self.say(by, type, {"n": n}, roomId=room, to=self.target(m, room, by))

    @in_use
    @rule(r=N, n=N, signals=EXCHANGES)
    def exchange(self, r: int, n: int, signals: list[tuple[str, bool]]) -> None:
        """Between two of a room, whom chance alone seldom brings together. "again": one of them
        leaves, and comes in again."""
        room = self.inhabited(r)
        live = [caller for caller in self.callers if caller.live and caller.id in room.members]
        if pairs := list(permutations(live, 2)):
            pair = pairs[n % len(pairs)]
            for type, back in signals:
                one, other = pair[::-1] if back else pair
                if type == "again":
                    self.say(one, "leave-room", {"roomId": room.id})
                    self.say(one, "join-room", {"roomId": room.id, "password": room.password})
                else:
                    self.say(one, type, {}, roomId=room.id, to=other.id)

    @in_use
    @rule(n=N, r=N, m=st.none() | N)
    def chat(self, n: int, r: int, m: int | None) -> None:
        room = self.room(r)
        by = self.speaker(n, room)
        to = {} if m is None else {"to": self.target(m, room, by)}
        self.say(by, "chat", "hello", roomId=room, **to)

    @rule(n=N, r=N, acknowledges=st.booleans())
    def ask(self, n: int, r: int, acknowledges: bool) -> None:
        room = self.room(r)
        caller = self.speaker(n, room)
        self.say(caller, "list-rooms", {})
        self.say(caller, "get-room", {"roomId": room})
        self.say(caller, "chat-history", {"roomId": room})
        if acknowledges:  # as the answer to a ping does: what has arrived needs no keeping
            caller.client.outbox.acknowledge(caller.heard)

    @in_use
    @rule(n=N, m=N, r=N, what=st.sampled_from([*MEANWHILE, "break", "end"]))
    def join_slowly(self, n: int, m: int, r: int, what: str) -> None:
        """While the password is looked at, the room or the joiner's line becomes another."""
        room = self.inhabited(r)
        joiner, other = self.outsider(n, room.id), self.speaker(m, room.id)
        if room.password is None or joiner is other:
            return
        join = self.request("join-room", {"roomId": room.id, "password": room.password})
        line = joiner.line
        assert line is not None
        if what in ("break", "end"):
            line.dead = True
            self.run(self.send(joiner, join), self.depart(joiner, line, what == "end"))
            self.happened(joiner, join)
            self.lost(joiner) if what == "break" else self.gone(joiner)
        else:
            type, fields = MEANWHILE[what]
            meanwhile = self.request(type, {"roomId": room.id, **fields})
            self.run(self.send(joiner, join), self.send(other, meanwhile))
            both = [(joiner, join), (other, meanwhile)]
            if self.model.asks_password(joiner.id, room):
                both.reverse()
            for caller, request in both:
                self.happened(caller, request)
        self.check()


@pytest.mark.timeout(400)  # where it fails, the shortest way there is looked for
def test_the_rooms_are_as_the_protocol_says() -> None:
    run_state_machine(
        Server,
        settings=settings(max_examples=250, stateful_step_count=50, report_multiple_bugs=False),
    )
