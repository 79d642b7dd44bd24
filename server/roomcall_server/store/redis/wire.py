"""What stands in Redis: records, the entries of the nodes' streams, and the arguments of the
scripts. Pure.

Records are msgpack; messages to clients are the JSON that clients get.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from roomcall.protocol import codec

from ...clients.session import Session
from ...rooms.outcome import Effect, Keep, Send
from ...rooms.room import Room
from ..base import Commit, RoomWrite, SessionWrite
from ..records import EPOCH, microseconds

Argument = str | bytes | int
_encode = msgspec.msgpack.Encoder().encode
_rooms = msgspec.msgpack.Decoder(Room)
_sessions = msgspec.msgpack.Decoder(Session)


class Told(Struct, frozen=True, array_like=True, tag=0):
    """A message for these clients of the node."""

    to: tuple[str, ...]
    frame: bytes


class Question(Struct, frozen=True, array_like=True, tag=1):
    id: int
    message: bytes


class Answered(Struct, frozen=True, array_like=True, tag=2):
    id: int
    message: bytes


Item = Told | Question | Answered
_items = msgspec.msgpack.Decoder(list[Item])


class Written(Struct, frozen=True, array_like=True):
    """A record: "r" or "s", its id, and how many bytes it has; 0: it goes."""

    key: str
    id: str
    size: int


class Meta(Struct, frozen=True, array_like=True):
    """A commit but for its records. `id` is the number that its node has given it."""

    node: str
    id: int
    writes: list[Written]
    closed: dict[str, datetime]
    told: list[Told]


_metas = msgspec.msgpack.Decoder(Meta)


class Posted(Struct, frozen=True):
    """An entry of a node's stream: what another node tells its clients, or asks it."""

    number: int
    node: str
    items: list[Item]


class Committed(Struct, frozen=True):
    """An entry of a node's stream: `base` is the version before that of its first record."""

    number: int
    base: int
    meta: Meta
    records: bytes


Entry = Posted | Committed


class Snapshot(Struct, frozen=True):
    """Everything up to entry `position` of the stream of a node."""

    epoch: bytes
    rooms: list[Room]
    sessions: list[Session]
    closed: dict[str, datetime]
    position: int
    version: int


def told(effects: Iterable[Effect]) -> list[Told]:
    sends = (effect for effect in effects if isinstance(effect, Send))
    return [Told(send.to, codec.encode(send.message)) for send in sends]


def sends(told: Iterable[Told]) -> list[Send]:
    """Of a message that a newer version of us has, and we do not know, nobody here is told."""
    found = ((each.to, codec.decode_reply(each.frame)) for each in told)
    return [Send(to, message) for to, message in found if message is not None]


def items(items: Sequence[Item]) -> bytes:
    return _encode(items)


def committing(node: str, id: int, commit: Commit, history: int, max_events: int) -> list[Argument]:
    """What `commit` takes after epoch, node and generation."""
    writes: list[Argument] = []
    written: list[Written] = []
    records: list[bytes] = []
    freed: list[Argument] = []
    named: list[Argument] = []
    closed: dict[str, datetime] = {}
    changes: list[RoomWrite | SessionWrite] = [*commit.rooms, *commit.sessions]
    for change in changes:
        before, after = change.before, change.after
        key = "r" if isinstance(change, RoomWrite) else "s"
        encoded = b"" if after is None else _encode(after)
        about = after if after is not None else before
        assert about is not None
        records.append(encoded)
        written.append(Written(key, about.id, len(encoded)))
        writes += (key, about.id, "" if before is None else before.version, len(encoded))
    for write in commit.rooms:
        was = None if write.before is None else write.before.public_name
        now = None if write.after is None else write.after.public_name
        if was is not None and was != now:
            freed.append(was)
        if write.after is not None and now is not None:
            named += (now, write.after.id)
        if write.before is not None and write.after is None and write.closed_at is not None:
            closed[write.before.id] = write.closed_at
    keeps = [effect.message for effect in commit.effects if isinstance(effect, Keep)]
    chats: list[Argument] = []
    for message in keeps if history else ():
        chats += (message.room_id, message.id or 0, msgspec.json.encode(message))
    events: list[Argument] = []
    for where, event in commit.events if max_events else ():
        events += (where, msgspec.json.encode(event))
    meta = Meta(node, id, written, closed, told(commit.effects))
    return [
        *(_encode(meta), b"".join(records)),
        *(len(written), *writes, len(freed), *freed, len(named) // 2, *named),
        *(len(closed), *closings(closed)),
        *(len(chats) // 3, *chats, history),
        *(len(events) // 2, *events, max_events),
    ]


def closings(closed: Mapping[str, datetime]) -> list[Argument]:
    """Ids, each before its time."""
    return [value for id, at in closed.items() for value in (id, microseconds(at))]


def record(value: Room | Session) -> bytes:
    return _encode(value)


def room(record: bytes) -> Room:
    return _rooms.decode(record)


def session(record: bytes) -> Session:
    return _sessions.decode(record)


def snapshot(reply: Sequence[Any]) -> Snapshot:
    """What `snapshot` has answered. Raises `msgspec.DecodeError`. A record without a version is
    none: no commit sees it."""
    epoch, rooms, sessions, versions, closed, position, version = reply
    at = {key: int(number) for key, number in _pairs(versions)}
    return Snapshot(
        epoch,
        [replace(room(one), version=at[b"r" + id]) for id, one in _pairs(rooms) if b"r" + id in at],
        [
            replace(session(one), version=at[b"s" + id])
            for id, one in _pairs(sessions)
            if b"s" + id in at
        ],
        {id.decode(): EPOCH + timedelta(microseconds=int(at)) for id, at in _pairs(closed)},
        position,
        version,
    )


def beats(flat: Sequence[bytes]) -> dict[str, int]:
    """Of each node."""
    return {node.decode(): int(count) for node, count in _pairs(flat)}


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def entry(id: bytes, fields: Sequence[bytes]) -> Entry:
    """Raises `ValueError` where it is none of ours."""
    number = int(id.partition(b"-")[0])
    kind, body, _, second = fields[:4]
    if kind == b"post":
        return Posted(number, second.decode(), _items.decode(body))
    return Committed(number, int(second), _metas.decode(body), fields[5])
