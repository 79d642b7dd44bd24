"""The command on machines whose network changes under it: namespaces, as root."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.namespaces import Namespace

pytestmark = pytest.mark.system("iproute2", tool="ip", root=True)

HEALED = 12.0  # seconds; mostly it takes less than 5
NEW_PICTURES = 10
SMALL = ["--video", "testsrc", "--size", "160x120", "--fps", "15", "--stats-interval", "0.2"]


async def call_of_two(start: Any, ann: Namespace, bob: Namespace, address: str) -> list[Any]:
    """`roomcall join` on both machines; the server is on the second, at `address`."""
    serve = ["serve", "--host", "0.0.0.0", "--port", "0", "--json"]
    server = await start(*serve, namespace=bob)
    port = (await server.event("listening"))["port"]
    join = ["join", "standup", "--server", f"http://{address}:{port}", "--json", *SMALL]
    runs = [await start(*join, namespace=machine) for machine in (ann, bob)]
    for run in runs:
        await run.event("first-frame", kind="video")
    return runs


async def seconds_until_pictures(run: Any, since: datetime) -> float:
    """From a change until so many pictures came that some must be new."""
    before = None
    async with asyncio.timeout(HEALED + 10):
        while True:
            stats = await run.event("stats")
            at = datetime.fromisoformat(stats["at"])
            (peer,) = stats["peers"].values()
            count = peer["video"]["inbound"]["framesReceived"]
            if at > since:
                before = count if before is None else before
                if count >= before + NEW_PICTURES:
                    return (at - since).total_seconds()


async def test_one_whose_address_changes_is_heard_again(start: Any, machines: Any) -> None:
    ann, bob = machines
    interface = ann.connect("10.0.0.2/24", bob, "10.0.0.1/24")
    runs = await call_of_two(start, ann, bob, "10.0.0.1")
    ann.ip("address", "flush", "dev", interface)
    ann.ip("address", "add", "10.0.0.3/24", "dev", interface)
    changed = datetime.now(UTC)
    for run in runs:
        assert await seconds_until_pictures(run, changed) < HEALED


async def test_a_call_moves_to_a_second_interface(start: Any, machines: Any) -> None:
    ann, bob = machines
    first = ann.connect("10.0.0.2/24", bob, "10.0.0.1/24")
    runs = await call_of_two(start, ann, bob, "10.0.0.1")
    ann.connect("10.0.1.2/24", bob, "10.0.1.1/24")
    ann.ip("route", "add", "default", "via", "10.0.1.1")
    ann.ip("link", "set", first, "down")
    changed = datetime.now(UTC)
    for run in runs:
        assert await seconds_until_pictures(run, changed) < HEALED


async def test_loopback_alone_is_enough(start: Any, machines: Any) -> None:
    run = await start("demo", "--duration", "2", "--json", namespace=machines[0])
    assert await run.ended() == 0, run.errors
    connected = [event for event in run.events if event["event"] == "peer-connected"]
    assert len(connected) == 6
