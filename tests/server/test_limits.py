"""Rates, and how many connections there may be."""

from typing import Any

import pytest

from roomcall_server.clients.addresses import Addresses
from roomcall_server.clients.rate import Bucket, Pace


def test_a_bucket_holds_two_seconds_and_fills_again() -> None:
    bucket = Bucket(10, now=0.0)
    assert [bucket.take(0.0) for _ in range(21)] == [True] * 20 + [False]
    assert bucket.take(0.1)
    assert not bucket.take(0.1)
    assert not bucket.idle(1.0)
    assert bucket.idle(10.0)


def test_who_is_over_the_limit_for_long() -> None:
    bucket = Bucket(10, now=0.0, patience=5.0)
    now = 0.0
    while not bucket.exhausted(now):
        bucket.take(now)
        now += 0.05  # twice as fast as allowed
    assert 5.0 <= now < 8.0
    polite = Bucket(10, now=0.0, patience=5.0)
    for second in range(20):  # bursts, and a pause after each
        for _ in range(25):
            polite.take(second * 2.0)
        assert not polite.exhausted(second * 2.0)


def test_no_rate_is_no_limit() -> None:
    bucket = Bucket(0, now=0.0)
    assert all(bucket.take(0.0) for _ in range(1000))


def test_addresses() -> None:
    addresses = Addresses(most=2, join_rate=1)
    assert [addresses.enter("a"), addresses.enter("a"), addresses.enter("b")] == [True] * 3
    assert not addresses.enter("a")
    addresses.leave("a")
    addresses.leave("a")
    assert addresses.enter("a")
    assert [addresses.may_join("a", 0.0) for _ in range(3)] == [True, True, False]
    addresses.purge(0.5)
    assert not addresses.may_join("a", 0.5)
    addresses.purge(10.0)
    assert addresses.may_join("a", 10.0)


def test_whoever_has_an_address_of_version_6_has_many() -> None:
    addresses = Addresses(most=1, join_rate=0)
    assert addresses.enter("2001:db8:0:1::1") and addresses.enter("2001:db8:0:2::1")
    assert not addresses.enter("2001:db8:0:1::2")
    addresses.leave("2001:db8:0:1::1")
    addresses.leave("2001:db8:0:1::2")
    assert addresses.enter("2001:db8:0:1:ffff::")


def test_bytes() -> None:
    pace = Pace(Bucket(0, now=0.0), Bucket(10, now=0.0, patience=5.0, largest=100))
    assert [pace.take(0.0, size) for size in (100, 1)] == [True, False]
    assert not pace.take(4.9, 50)  # 49 by now, still less than half
    assert pace.exhausted(5.0)
    assert pace.take(10.0, 100)


async def test_too_many_messages(connect_to: Any, serve: Any) -> None:
    async with serve(rate_messages=2, rate_patience=0.3) as server:
        fast, other = await connect_to(server.url), await connect_to(server.url)
        for n in range(30):
            await fast.say("ping", requestId=n)
        heard = [await fast.hear() for _ in range(30)]
        assert [m["type"] for m in heard[:4]] == ["pong"] * 4
        assert heard[-1].pop("message")
        assert heard[-1] == {
            "type": "error",
            "code": "rate-limited",
            "request": "ping",
            "requestId": 29,
        }
        with pytest.raises((ConnectionError, AssertionError)):
            while True:
                await fast.ask("ping")
        assert fast.socket.close_code == 4029
        assert await other.types() == []


async def test_too_many_joins_from_an_address(connect_to: Any, serve: Any) -> None:
    async with serve(rate_joins=1) as server:
        a, b = await connect_to(server.url), await connect_to(server.url)
        room = await a.create("1")
        await b.join(room)
        assert await b.refused("create-room", {"name": "2"}) == "rate-limited"


async def test_joining_too_fast_for_long(connect_to: Any, serve: Any) -> None:
    async with serve(rate_joins=1, rate_patience=0.2) as server:
        a, b = await connect_to(server.url), await connect_to(server.url)
        with pytest.raises((ConnectionError, AssertionError)):
            while True:
                await a.ask("create-room", {"name": "1"})
        assert a.socket.close_code == 4029
        assert await b.types() == []


async def test_too_many_connections_from_an_address(connect_to: Any, serve: Any) -> None:
    async with serve(max_per_address=1) as server:
        first = await connect_to(server.url)
        second = await connect_to(server.url, greeted=False)
        assert await second.closed() == 4013
        assert await first.types() == []
