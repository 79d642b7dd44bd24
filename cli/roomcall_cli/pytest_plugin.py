"""Fixtures for tests of calls: `room_server`, `peer`, `mesh`, `network`, `assert_media`.

    async def test_three(mesh, assert_media):
        ann, bob, cem = await mesh(3)
        await assert_media(ann, bob, min_fps=10)

pytest loads this module into every run: it imports nothing of roomcall before a fixture is used,
and without pytest-asyncio it offers no fixture.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

try:
    from pytest_asyncio import fixture
except ImportError:

    def fixture(function: Callable[..., Any]) -> Callable[..., Any]:  # type: ignore[no-redef]
        return function


if TYPE_CHECKING:
    from roomcall import Call, Peer
    from roomcall.network.conditions import Network
    from roomcall_server import Server

CONNECT_TIMEOUT = 20.0
FIRST_FRAME_TIMEOUT = 15.0
NAMES = ("ann", "bob", "cem", "dora", "emil", "fay", "gus", "hana")


class JoinPeer(Protocol):
    """Joins a room of `room_server`; `options` are those of `roomcall.join`."""

    async def __call__(self, room: str, **options: Any) -> "Call": ...


class JoinMesh(Protocol):
    """Joins `count` peers to one room and returns them when each is connected to every other."""

    async def __call__(
        self, count: int, *, room: str = "mesh", timeout: float = CONNECT_TIMEOUT, **options: Any
    ) -> "list[Call]": ...


class AssertMedia(Protocol):
    """Fails unless pictures of `peer` come to `call`: `min_fps` a second for `seconds`.

    `peer` is a `Peer`, a client id, or the other one's `Call`.
    """

    async def __call__(
        self,
        call: "Call",
        peer: "Peer | Call | str",
        *,
        min_fps: float = 20,
        seconds: float = 3,
    ) -> None: ...


@fixture
async def room_server() -> "AsyncIterator[Server]":
    """A server with a memory of its own, on a free port of 127.0.0.1: `room_server.url`."""
    import roomcall_server

    async with roomcall_server.serve(host="127.0.0.1", port=0) as server:
        yield server


@fixture
async def peer(room_server: "Server") -> AsyncIterator[JoinPeer]:
    """Joins peers, which leave at the end of the test."""
    import roomcall

    calls: list[Call] = []
    async with AsyncExitStack() as stack:

        async def join(room: str, **options: Any) -> "Call":
            joining = roomcall.join(room, **{"server": room_server.url, **options})
            call = await stack.enter_async_context(joining)
            calls.append(call)
            return call

        yield join
        await asyncio.gather(*(call.leave() for call in calls))


@fixture
async def mesh(peer: JoinPeer) -> JoinMesh:
    """Joins several peers that are connected to each other."""

    async def join(
        count: int, *, room: str = "mesh", timeout: float = CONNECT_TIMEOUT, **options: Any
    ) -> "list[Call]":
        options = {"video": "testsrc", **options}
        names = [*NAMES, *(f"peer {i}" for i in range(len(NAMES), count))][:count]
        calls = [await peer(room, **{"name": name, **options}) for name in names]
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(*(_meet(call, calls) for call in calls))
        except TimeoutError:
            raise AssertionError(_who_is_missing(calls, names, timeout)) from None
        return calls

    return join


@fixture
async def network() -> "Callable[..., Network]":
    """A bad network for `network=`: `network(loss=0.05, delay=0.08, seed=7)`."""
    from roomcall.network.conditions import network

    return network


@fixture
async def assert_media() -> AssertMedia:
    """Measures what arrives."""
    return _assert_media


async def _meet(call: "Call", calls: "list[Call]") -> None:
    async for _ in call:
        if not _strangers(call, calls):
            return
    raise AssertionError(f"a call has ended before it met the others: {await _ending(call)}")


async def _ending(call: "Call") -> str:
    return ", ".join([event.to_json() async for event in call][-3:])


def _strangers(call: "Call", calls: "list[Call]") -> "dict[str, str]":
    """States of those that `call` is not connected with, by id."""
    return {
        other.id: call.peers[other.id].state if other.id in call.peers else "unknown to it"
        for other in calls
        if other is not call
        and (other.id not in call.peers or call.peers[other.id].state != "connected")
    }


def _who_is_missing(calls: "list[Call]", names: list[str], timeout: float) -> str:
    name_of = {call.id: name for call, name in zip(calls, names, strict=True)}
    missing = [
        f"  {name_of[call.id]} → {name_of[id]}: {state}"
        for call in calls
        for id, state in _strangers(call, calls).items()
    ]
    return "\n".join([f"not connected after {timeout:g} s:", *missing])


async def _assert_media(
    call: "Call", peer: "Peer | Call | str", *, min_fps: float = 20, seconds: float = 3
) -> None:
    from roomcall import FirstFrame

    id = peer if isinstance(peer, str) else peer.id
    sender = call.peers.get(id)
    assert sender is not None, f"no peer {id}: there are {list(call.peers.values())}"
    try:
        await call.wait_for(FirstFrame, FIRST_FRAME_TIMEOUT, peer=sender, kind="video")
    except TimeoutError:
        stats = await call.stats()
        raise AssertionError(
            f"no picture of {sender!r} within {FIRST_FRAME_TIMEOUT:g} s: {stats.get(id)}"
        ) from None
    loop = asyncio.get_running_loop()
    before, since = _inbound(await call.stats(), id), loop.time()
    await asyncio.sleep(seconds)
    after, elapsed = _inbound(await call.stats(), id), loop.time() - since
    grown = {name: after[name] - before[name] for name in ("framesReceived", "packetsLost")}
    fps = grown["framesReceived"] / elapsed
    assert fps >= min_fps, (
        f"{fps:.1f} pictures a second of {sender!r}, expected {min_fps:g}:"
        f" {grown['framesReceived']} in {elapsed:.1f} s, {grown['packetsLost']} packets lost"
    )


def _inbound(stats: dict[str, dict[str, Any]], id: str) -> dict[str, Any]:
    inbound: dict[str, Any] = stats[id]["video"]["inbound"]
    return inbound
