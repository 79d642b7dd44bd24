"""A room of the model, as plainly as it can be written. It shares nothing with the server."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

Message = dict[str, Any]

UNUSED_TTL = timedelta(seconds=300)


@dataclass
class Room:
    """`members`: what each says of its media. `signals`: all between those who are members.
    `emptied_at` is when the last member left; until somebody has entered it is None."""

    id: str
    name: str
    made_at: datetime
    private: bool = False
    limit: int = 0
    password: str | None = None
    ttl: timedelta = timedelta(0)
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    opened: bool = True
    emptied_at: datetime | None = None
    locked: bool = False
    host: str | None = None
    members: dict[str, dict[str, bool]] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    banned: set[str] = field(default_factory=set)
    signals: list[tuple[str, str, str]] = field(default_factory=list)
    chats: list[Message] = field(default_factory=list)

    @property
    def state(self) -> str:
        if not self.opened:
            return "SCHEDULED"
        if not self.members:
            return "EMPTY"
        in_call = any(self._have_call({*pair}) for pair in combinations(self.members, 2))
        return "IN_CALL" if in_call else "ACTIVE"

    @property
    def full(self) -> bool:
        return 0 < self.limit <= len(self.members)

    @property
    def vanishes_at(self) -> datetime | None:
        """None: while somebody is in it, or waits who will come in."""
        if self.members or (self.queue and not self.locked):
            return None
        if self.emptied_at is not None:
            return self.emptied_at + self.ttl
        return (self.opens_at or self.made_at) + max(UNUSED_TTL, self.ttl)

    def _have_call(self, pair: set[str]) -> bool:
        """The sentence of the protocol, read over all that went between the two."""
        offered: set[str] = set()
        called = False
        for type, sender, to in self.signals:
            if {sender, to} != pair:
                continue
            if type == "hangup":
                offered, called = set(), False
            elif type == "offer":
                offered.add(sender)
            elif type == "answer" and to in offered:
                called = True
        return called

    def wire_member(self, id: str) -> Message:
        return {"id": id, "role": "host" if id == self.host else "member", **self.members[id]}

    def wire(self) -> Message:
        return {
            "id": self.id,
            "name": self.name,
            "host": self.host,
            "maxParticipants": self.limit,
            "participants": list(self.members),
            "members": [self.wire_member(id) for id in self.members],
            "metadata": {"private": self.private},
            "state": self.state,
            "hasPassword": self.password is not None,
            "locked": self.locked,
        }
