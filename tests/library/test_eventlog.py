"""What has happened in a call, for any number of readers."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from roomcall.eventlog import FEW, LENGTH, EventLog
from roomcall.events import Event, StatsUpdated, WarningIssued

NOW = datetime(2026, 1, 22, 10, 30, tzinfo=UTC)


def warning(number: int) -> WarningIssued:
    return WarningIssued(time=NOW, t=float(number), message=str(number))


def stats(number: int) -> StatsUpdated:
    return StatsUpdated(time=NOW, t=float(number), peers={})


def filled(count: int) -> EventLog:
    log = EventLog()
    for number in range(count):
        log.append(warning(number))
    return log


async def read(log: EventLog, count: int | None = None) -> list[int]:
    """The numbers of the events; of so many, or to the end."""
    found: list[int] = []
    async with aclosing(aiter(log)) as events:  # type: ignore[type-var]
        while count is None or len(found) < count:
            try:
                event: Event = await anext(events)
            except StopAsyncIteration:
                break
            found.append(int(event.t))
    return found


async def test_a_late_reader_sees_everything_in_order() -> None:
    log = filled(5)
    log.end()
    assert await read(log) == [0, 1, 2, 3, 4]
    assert await read(log) == [0, 1, 2, 3, 4]


async def test_readers_wait_for_what_comes_each_at_its_own_pace() -> None:
    log = filled(2)
    quick = asyncio.create_task(read(log))
    short = asyncio.create_task(read(log, 3))
    await asyncio.sleep(0)
    assert not quick.done() and not short.done()
    log.append(warning(2))
    assert await short == [0, 1, 2]
    assert not quick.done()
    log.append(warning(3))
    log.end()
    assert await quick == [0, 1, 2, 3]


async def test_what_comes_while_a_reader_is_busy_is_not_missed() -> None:
    log = filled(1)
    seen = []
    async with aclosing(aiter(log)) as events:  # type: ignore[type-var]
        async for event in events:
            seen.append(int(event.t))
            if len(seen) < 4:
                log.append(warning(len(seen)))
            else:
                log.end()
    assert seen == [0, 1, 2, 3]


async def test_what_was_there_before_the_end_is_still_read() -> None:
    log = EventLog()
    reading = asyncio.create_task(read(log))
    await asyncio.sleep(0)
    log.append(warning(7))
    log.end()
    assert await reading == [7]


async def test_an_empty_log_ends() -> None:
    log = EventLog()
    reading = [asyncio.create_task(read(log)) for _ in range(3)]
    await asyncio.sleep(0)
    log.end()
    assert await asyncio.gather(*reading) == [[], [], []]


async def test_a_reader_far_behind_loses_the_oldest() -> None:
    log = filled(LENGTH + 10)
    log.end()
    assert await read(log) == list(range(10, LENGTH + 10))


async def test_a_reader_that_falls_behind_goes_on_with_the_oldest_that_is_left() -> None:
    log = filled(1)
    async with aclosing(aiter(log)) as events:  # type: ignore[type-var]
        assert (await anext(events)).t == 0
        for number in range(1, LENGTH + 6):
            log.append(warning(number))
        log.end()
        rest = [int(event.t) async for event in events]
    assert rest == list(range(6, LENGTH + 6))


async def test_of_statistics_only_the_latest_stay_and_push_nothing_out() -> None:
    log = EventLog()
    log.append(warning(0))
    for number in range(1, LENGTH + 100):
        log.append(stats(number))
    log.append(warning(LENGTH + 100))
    log.end()
    last = LENGTH + 100
    assert await read(log) == [0, *range(last - FEW[StatsUpdated], last), last]


async def test_a_reader_that_keeps_up_sees_all_statistics() -> None:
    log = EventLog()
    seen = []
    async with aclosing(aiter(log)) as events:  # type: ignore[type-var]
        for number in range(3 * FEW[StatsUpdated]):
            log.append(stats(number))
            seen.append(int((await anext(events)).t))
    assert seen == list(range(3 * FEW[StatsUpdated]))


async def test_a_cancelled_reader_leaves_the_others_alone() -> None:
    log = EventLog()
    one, other = asyncio.create_task(read(log)), asyncio.create_task(read(log))
    await asyncio.sleep(0)
    one.cancel()
    log.append(warning(1))
    log.end()
    assert await other == [1]
    await asyncio.wait([one])
    assert one.cancelled()
