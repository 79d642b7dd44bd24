"""The server's rules, sessions and store beside the model, without sockets: what is done to both,
and what must hold after each step."""

import asyncio
import json
from collections.abc import Awaitable
from datetime import datetime, timedelta
from itertools import combinations, count
from typing import Any

from hypothesis import assume
from hypothesis.stateful import RuleBasedStateMachine, invariant

from roomcall_server.clients.sessions import Arrival, Grant
from roomcall_server.config import Config
from roomcall_server.rooms.room import Room
from roomcall_server.service import Service
from roomcall_server.signaling import router
from roomcall_server.store.memory import MemoryStore
from tests.server.model.caller import Caller, Line
from tests.server.model.places import BEGIN, GRACE, MAX_ROOMS
from tests.server.model.requests import Model
from tests.server.model.room import Message

KEPT = 8  # messages for who comes back: few, so that they are too few now and then
LONGEST_STEP = timedelta(milliseconds=20)
LATEST = BEGIN + timedelta(minutes=50)  # while every closed id is known as closed
EVENTS = (
    "member-joined",
    "member-left",
    "host-changed",
    "room-state",
    "chat",
    "room-updated",
    "member-updated",
    "room-closed",
)


class Machine(RuleBasedStateMachine):
    """The clock is the model's, and moves when a step says so."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = count(1)
        self.callers: list[Caller] = []
        self.model = Model()
        self.past: list[str] = []
        self.ended: list[str] = []
        self.before: dict[str, Room] = {}
        self.runner = asyncio.Runner(loop_factory=self._loop)
        self.store = MemoryStore(1000)
        self.service: Service = self.run(self._service())

    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.time = lambda: (  # type: ignore[method-assign]
            1000.0 + (self.model.now - BEGIN).total_seconds()
        )
        return loop

    async def _service(self) -> Service:
        config = Config(
            max_rooms_per_client=MAX_ROOMS,
            resume_grace=GRACE.total_seconds(),
            resume_frames=KEPT,
            password_cost=4,
        )
        return Service(config, self.store, lambda: self.model.now)

    def teardown(self) -> None:
        self.run(self.service.close())
        self.runner.close()

    def run(self, *work: Awaitable[Any]) -> Any:
        """Let it happen. Of two the first begins first."""

        async def run() -> list[Any]:
            return await asyncio.gather(*work)

        return self.runner.run(run())[0]

    # What is done

    def tick(self) -> None:
        """What happens in turn is not at the same time, nor what it leads to."""
        self.model.now += timedelta(milliseconds=1)

    def next_due(self, before: datetime = LATEST) -> datetime | None:
        """When something happens by itself."""
        due = min(self.model.due(), default=LATEST)
        return due if due < before else None

    @invariant()
    def nothing_happens_within_a_step(self) -> None:
        while due := self.next_due(self.model.now + LONGEST_STEP):
            self.wait(due)

    def wait(self, until: datetime) -> None:
        async def turns() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        assume(self.model.due().count(until) == 1)  # of two the order would be open
        self.model.now = until
        self.run(turns())
        for id in self.model.pass_time():
            self._forget(next(caller for caller in self.callers if caller.id == id))
        self.check()

    def connect(self, token: str | None = None) -> Caller:
        line = Line()
        client = self.run(self.service.sessions.arrive(line, Arrival(Grant(), resume=token)))
        assert line.sent[0]["type"] == "client-id"
        assert line.sent[0]["resumed"] is False
        self.callers.append(Caller(client, line))
        return self.callers[-1]

    def request(self, type: str, payload: Any, **fields: Any) -> Message:
        self.tick()
        request = {"type": type, "requestId": next(self.requests), **fields}
        return request if payload is None else {**request, "payload": payload}

    async def send(self, caller: Caller, request: Message) -> None:
        """As the socket's reader does."""
        caller.said += 1
        async with caller.client.turn:
            caller.client.received += 1
            await router.handle(self.service.context, caller.client, json.dumps(request))

    def say(self, caller: Caller, type: str, payload: Any = None, **fields: Any) -> None:
        request = self.request(type, payload, **fields)
        self.run(self.send(caller, request))
        self.happened(caller, request)
        self.check()

    def happened(self, caller: Caller, request: Message) -> None:
        """The model follows. The id of a room that was made is the server's choice."""
        sent = caller.line.sent if caller.line is not None else []
        made = [
            m["room"]["id"]
            for m in sent
            if m.get("requestId") == request["requestId"]
            and m["type"] in ("room-created", "room-joined")
        ]
        self.model.say(caller.id, request, *made)

    async def depart(self, caller: Caller, line: Line, goodbye: bool) -> None:
        self.tick()
        await self.service.sessions.depart(caller.client, line, goodbye=goodbye)

    def gone(self, caller: Caller) -> None:
        """Its session is over."""
        self.model.end(caller.id)
        self._forget(caller)

    def _forget(self, caller: Caller) -> None:
        self.callers.remove(caller)
        self.ended.append(caller.id)

    def lost(self, caller: Caller) -> None:
        """The server has seen that the line is lost."""
        caller.line = None
        caller.due += self.model.told.pop(caller.id, [])
        caller.noticed = len(caller.due)
        self.model.lose(caller.id)

    def notice(self, caller: Caller) -> None:
        assert caller.line is not None
        self.run(self.depart(caller, caller.line, goodbye=False))
        self.lost(caller)
        self.check()

    def resume(self, caller: Caller, counts: bool, *, breaks: bool = False) -> None:
        """`counts`: with `received`. `breaks`: again, before anything has arrived."""
        old, line = caller.line, Line()
        lost = 0
        if not counts:  # what was sent before the server noticed the break is lost
            lost = caller.noticed if old is None else len(caller.due)
        received = caller.heard if counts else None
        arrival = Arrival(Grant(), resume=caller.token, received=received)
        client = self.run(self.service.sessions.arrive(line, arrival))
        if old is not None:
            assert old.close_code == 4009
            self.run(self.depart(caller, old, goodbye=False))
        if len(caller.due) - lost > KEPT:
            assert not line.sent[0]["resumed"]
            self.gone(caller)
            self.callers.append(Caller(client, line))
            return self.check()
        hello = line.sent.pop(0)
        assert (hello["resumed"], hello["id"], hello["received"]) == (True, caller.id, caller.said)
        assert "gap" not in hello
        caller.line = line
        line.dead = breaks
        caller.heard += lost
        del caller.due[:lost]
        caller.blind |= lost > 0
        self.model.come_back(caller.id)
        self.check(back=caller)

    # What must hold

    async def _records(self) -> dict[str, Room]:
        """The rooms that the server has; and its sessions are as they are."""
        records = {}
        for id in self.model.rooms:
            record = await self.store.room(id)
            assert record is not None
            records[id] = record
        assert await self.store.room_count() == len(records)
        public = [room for room in self.model.rooms.values() if not room.private]
        page = await self.store.public_rooms(1000, None, "")
        assert [room.id for room in page.rooms] == [room.id for room in public]
        assert len(self.service.context.clients) == len(self.callers)
        for caller in self.callers:
            session = await self.store.session(caller.id)
            assert session is not None
            inside = {id for id, room in records.items() if _inside(room, caller.id)}
            assert session.rooms == inside
            assert len(inside) <= MAX_ROOMS
            caller.near |= inside
        for id in self.ended:
            assert await self.store.session(id) is None
        self.ended.clear()
        return records

    def check(self, back: Caller | None = None) -> None:
        """`back`: who has just come back, and hears what others have heard before."""
        records = self.run(self._records())
        for id, record in records.items():
            _check_record(record, self.model.rooms[id], self.before.get(id))
        self.past += [id for id in self.before if id not in records]
        self.before = records
        _check_order([c.line.sent for c in self.callers if c.line is not None and c is not back])
        for caller in self.callers:
            caller.due += self.model.told.pop(caller.id, [])
            if caller.line is None:
                continue
            sent, caller.line.sent = caller.line.sent, []
            if caller.line.dead:
                continue
            assert _cut(_by_room(sent), _by_room(caller.due)) == _by_room(caller.due)
            caller.heard += len(sent)
            caller.due.clear()
            inside = [room for room in records.values() if _inside(room, caller.id)]
            if caller.blind:
                caller.blind = False
                caller.view = {room.id: _view(room, caller.id) for room in inside}
                caller.chats.clear()
            else:
                for message in sent:
                    caller.learn(message)
            assert caller.view == {room.id: _view(room, caller.id) for room in inside}
            caller.near = set(caller.view)
        assert not self.model.told


def _inside(room: Room, client: str) -> bool:
    return client in room.members or room.waits(client)


def _view(room: Room, client: str) -> Any:
    """What this client must know of the room."""
    if client not in room.members:
        return [waiting.id for waiting in room.queue].index(client) + 1
    return {"participants": list(room.members), "host": room.host, "state": room.state.value}


def _check_record(record: Room, room: Any, before: Room | None) -> None:
    members, host = list(record.members), record.host
    assert (members, host, record.state) == (list(room.members), room.host, room.state)
    assert [waiting.id for waiting in record.queue] == room.queue
    assert record.chats == len(room.chats)
    assert (host in members) if members else host is None
    was = before.members if before is not None else {}
    if any(id not in was for id in members):
        assert not 0 < record.max_participants < len(members)
    stayed = [record.members[id] for id in was if id in members]
    if before is not None and before.host not in members and stayed:
        assert host == next((member for member in stayed if not member.away), stayed[0]).id


def _check_order(sent: list[list[Message]]) -> None:
    """All hear the events of a room in one order. Who asked has the reply for one of them."""
    heard = []
    for messages in sent:
        events = [{**message, "requestId": None} for message in messages]
        heard.append([event for event in events if event["type"] in EVENTS])
    for one, other in combinations(heard, 2):
        assert [event for event in one if event in other] == [e for e in other if e in one]


def _by_room(messages: list[Message]) -> list[Message]:
    """Of steps that concern several rooms, the order between the rooms is open."""
    return sorted(messages, key=lambda m: str(m["room"]["id"] if "room" in m else m.get("roomId")))


def _cut(heard: Any, expected: Any) -> Any:
    """What was heard, without the fields that the model does not name."""
    if isinstance(heard, dict) and isinstance(expected, dict):
        return {key: _cut(heard.get(key), value) for key, value in expected.items()}
    if isinstance(heard, list) and isinstance(expected, list) and len(heard) == len(expected):
        return [_cut(*both) for both in zip(heard, expected, strict=True)]
    return heard
