"""What happened in rooms, as stores keep it."""

from collections.abc import Sequence
from datetime import timedelta

from roomcall_server.rooms.history import RoomEvent
from roomcall_server.store.base import Commit, KeptEvent, Store
from tests.store.conftest import NOW


def event(room: str, minutes: float = 0) -> tuple[str, RoomEvent]:
    return room, RoomEvent(
        event="left",
        at=NOW + timedelta(minutes=minutes),
        member_id="ann",
        name="Ann",
        reason="removed",
        seconds=1.5,
    )


def plain(events: Sequence[KeptEvent]) -> list[tuple[str, RoomEvent]]:
    return [(kept.room, kept.event) for kept in events]


async def test_events_are_read_in_their_order(store: Store) -> None:
    assert await store.events(None, 0, 10) == []
    await store.commit(Commit(events=(event("a", 1), event("b", 2))))
    await store.commit(Commit(events=(event("a", 3),)))
    found = await store.events(None, 0, 10)
    assert plain(found) == [event("a", 1), event("b", 2), event("a", 3)]
    assert [e.id for e in found] == sorted({e.id for e in found})
    assert plain(await store.events("a", 0, 10)) == [event("a", 1), event("a", 3)]
    assert plain(await store.events("a", found[0].id, 10)) == [event("a", 3)]
    assert plain(await store.events(None, found[0].id, 1)) == [event("b", 2)]
    assert await store.events(None, found[-1].id, 10) == []
    assert await store.events("c", 0, 10) == []


async def test_events_go_after_their_days(store: Store) -> None:
    await store.commit(Commit(events=(event("a", 0), event("b", 1), event("a", 2))))
    found = await store.events(None, 0, 10)
    await store.purge(NOW + timedelta(days=30))
    assert await store.events(None, 0, 10) == found
    await store.purge(NOW + timedelta(days=30, minutes=1.5))
    assert await store.events(None, 0, 10) == found[2:]
    await store.purge(NOW + timedelta(days=31))
    assert await store.events(None, 0, 10) == []
    await store.commit(Commit(events=(event("a", 3),)))
    assert (await store.events(None, 0, 10))[0].id > found[-1].id
