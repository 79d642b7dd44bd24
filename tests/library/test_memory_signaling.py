"""A room in memory keeps what `Signaling` promises."""

from roomcall.signaling.base import MemberGone, MemberHere, Signal, Signaling
from roomcall.signaling.memory import MAX_PENDING_EVENTS, MemoryRoom, MemorySignaling


async def everything(end: MemorySignaling) -> list[object]:
    """What came until it was closed."""
    return [event async for event in end]


async def test_it_is_a_signaling() -> None:
    assert isinstance(MemoryRoom().signaling("a"), Signaling)


async def test_who_comes_sees_who_is_there_and_is_seen() -> None:
    room = MemoryRoom()
    a, b, c = (room.signaling(id) for id in "abc")
    assert [await end.connect() for end in (a, b, c)] == ["a", "b", "c"]
    assert list(room.members) == ["a", "b", "c"]
    for end in (c, b, a):
        await end.close()
    assert await everything(a) == [
        MemberHere("b", "b"),
        MemberHere("c", "c"),
        MemberGone("c"),
        MemberGone("b"),
    ]
    assert await everything(b) == [
        MemberHere("a", "a", before=True),
        MemberHere("c", "c"),
        MemberGone("c"),
    ]
    assert await everything(c) == [
        MemberHere("a", "a", before=True),
        MemberHere("b", "b", before=True),
    ]
    assert room.members == {}


async def test_signals_come_in_order_to_whom_they_are_for() -> None:
    room = MemoryRoom()
    a, b, c = (room.signaling(id) for id in "abc")
    for end in (a, b, c):
        await end.connect()
    messages = [{"type": "ice-candidate", "payload": {"candidate": str(n)}} for n in range(20)]
    for message in messages:
        await a.send("b", message)
    await b.send("a", {"type": "hangup"})
    for end in (a, b, c):
        await end.close()
    assert [e for e in await everything(b) if isinstance(e, Signal)] == [
        Signal("a", message) for message in messages
    ]
    assert [e for e in await everything(a) if isinstance(e, Signal)] == [
        Signal("b", {"type": "hangup"})
    ]
    assert not any(isinstance(e, Signal) for e in await everything(c))


async def test_a_signal_to_who_has_gone_is_no_error() -> None:
    room = MemoryRoom()
    a, b = room.signaling("a"), room.signaling("b")
    await a.connect()
    await b.connect()
    await b.close()
    await a.send("b", {"type": "offer"})
    await a.send("nobody", {"type": "offer"})
    await a.close()
    assert await everything(b) == [MemberHere("a", "a", before=True)]


async def test_who_does_not_listen_is_out_of_the_room() -> None:
    room = MemoryRoom()
    a, b = room.signaling("a"), room.signaling("b")
    await a.connect()
    await b.connect()
    for number in range(MAX_PENDING_EVENTS + 10):
        await a.send("b", {"type": "offer", "payload": number})
    assert list(room.members) == ["a"]
    heard = await everything(b)
    assert heard[1:] == [
        Signal("a", {"type": "offer", "payload": number}) for number in range(len(heard) - 1)
    ]
    await a.close()
    assert await everything(a) == [MemberHere("b", "b"), MemberGone("b", "disconnected")]


async def test_closing_twice_is_leaving_once() -> None:
    room = MemoryRoom()
    a, b = room.signaling("a"), room.signaling("b")
    await a.connect()
    await b.connect()
    await b.close()
    await b.close()
    await a.close()
    assert await everything(a) == [MemberHere("b", "b"), MemberGone("b")]


async def test_rooms_know_nothing_of_each_other() -> None:
    a, b = MemoryRoom().signaling("a"), MemoryRoom().signaling("b")
    await a.connect()
    await b.connect()
    await a.send("b", {"type": "offer"})
    for end in (a, b):
        await end.close()
        assert await everything(end) == []
