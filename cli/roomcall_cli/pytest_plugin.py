"""Fixtures for tests of calls: `room_server`, `peer`, `mesh`, `browser_peer`, `network`,
`assert_media`.

    async def test_three(mesh, assert_media):
        ann, bob, cem = await mesh(3)
        await assert_media(ann, bob, min_fps=10)

They are for tests of pytest-asyncio, in both of its modes, and for those of anyio on asyncio, where
pytest-asyncio is strict. The report of a test that fails has the peers' statistics, SDP and
candidates.

pytest loads this module into every run: it imports nothing of roomcall before a fixture is used.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

try:
    from pytest_asyncio import fixture as _asyncio_fixture
except ImportError:
    _asyncio_fixture = pytest.fixture  # type: ignore[assignment]  # never taken: see `_chosen`

if TYPE_CHECKING:
    from roomcall import Call
    from roomcall.network.conditions import Network
    from roomcall_server import Server

    from .browser import BrowserPeer
    from .fixtures.media import Member

CONNECT_TIMEOUT = 20.0  # seconds
NAMES = ("ann", "bob", "cem", "dora", "emil", "fay", "gus", "hana")
_FAILED = pytest.StashKey[bool]()


class JoinPeer(Protocol):
    """Joins a room of `room_server`; `options` are those of `roomcall.join`."""

    async def __call__(self, room: str, **options: Any) -> "Call": ...


class JoinMesh(Protocol):
    """Joins `count` peers to one room and returns them when each is connected to every other."""

    async def __call__(
        self, count: int, *, room: str = "mesh", timeout: float = CONNECT_TIMEOUT, **options: Any
    ) -> "list[Call]": ...


class JoinBrowser(Protocol):
    """Joins a room of `room_server` by its page, with a test picture and beeps as camera and
    microphone. `peer.page` is playwright's."""

    async def __call__(self, room: str, *, name: str = "browser") -> "BrowserPeer": ...


class AssertMedia(Protocol):
    """Fails unless pictures of `peer` come to `call`: `min_fps` a second for `seconds`.

    `peer` is a `Peer`, a client id, the other one's `Call`, or a `browser_peer`.
    """

    async def __call__(
        self, call: "Call", peer: "Member | str", *, min_fps: float = 20, seconds: float = 3
    ) -> None: ...


@pytest.fixture
def room_server(request: pytest.FixtureRequest) -> "Server":
    """A server with a memory of its own, on a free port of 127.0.0.1: `room_server.url`."""
    server: Server = _chosen(request, "_room_server")
    return server


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> JoinPeer:
    """Joins peers, which leave at the end of the test."""
    join: JoinPeer = _chosen(request, "_peer")
    return join


@pytest.fixture
def mesh(peer: JoinPeer) -> JoinMesh:
    """Joins several peers that are connected to each other."""

    async def join(
        count: int, *, room: str = "mesh", timeout: float = CONNECT_TIMEOUT, **options: Any
    ) -> "list[Call]":
        from .fixtures.media import meet

        options = {"video": "testsrc", **options}
        names = [*NAMES, *(f"peer {i}" for i in range(len(NAMES), count))][:count]
        calls = [await peer(room, **{"name": name, **options}) for name in names]
        await meet(calls, names, timeout)
        return calls

    return join


@pytest.fixture
def browser_peer(request: pytest.FixtureRequest) -> JoinBrowser:
    """Has a Chromium join, by the page of the server; skips where there is none. It is closed at
    the end of the test."""
    join: JoinBrowser = _chosen(request, "_browser_peer")
    return join


@pytest.fixture
def network() -> "Callable[..., Network]":
    """A bad network for `network=`: `network(loss=0.05, delay=0.08, seed=7)`."""
    from roomcall.network.conditions import network

    return network


@pytest.fixture
def assert_media() -> AssertMedia:
    """Measures what arrives."""
    from .fixtures.media import assert_media

    return assert_media


# What has to begin and end in the event loop of the test. Each plugin takes the fixtures that it
# knows as its own: there is one for each, of which the test's is chosen.


async def _serve() -> "AsyncIterator[Server]":
    import roomcall_server

    async with roomcall_server.serve(host="127.0.0.1", port=0) as server:
        yield server


async def _join_peers(
    request: pytest.FixtureRequest, room_server: "Server"
) -> AsyncIterator[JoinPeer]:
    import roomcall

    from .fixtures.trail import Trail, tell

    trails: list[Trail] = []
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:

        async def join(room: str, **options: Any) -> "Call":
            _check_loop(loop)
            trail, heard = Trail(), options.pop("on_signal", None)

            def on_signal(*signal: Any) -> None:
                trail.signal(*signal)
                if heard is not None:
                    heard(*signal)

            joining = roomcall.join(
                room, **{"server": room_server.url, "on_signal": on_signal, **options}
            )
            trail.call = await stack.enter_async_context(joining)
            trails.append(trail)
            return trail.call

        yield join
        if trails and request.node.stash.get(_FAILED, False):
            request.node.add_report_section("teardown", "calls", await tell(trails))
        await asyncio.gather(*(trail.call.leave() for trail in trails if trail.call is not None))


async def _join_browsers(room_server: "Server") -> AsyncIterator[JoinBrowser]:
    from . import browser as chromium

    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        try:
            browser = await stack.enter_async_context(chromium.open_browser())
        except chromium.NoBrowser as error:
            pytest.skip(f"browser_peer: {error}")

        async def join(room: str, *, name: str = "browser") -> "BrowserPeer":
            _check_loop(loop)
            return await chromium.join(browser, room_server.url, room, name)

        yield join


def _of_each(work: Callable[..., AsyncIterator[Any]]) -> tuple[Any, Any]:
    """A fixture of pytest-asyncio, and one of anyio."""

    @functools.wraps(work)
    async def again(**arguments: Any) -> AsyncIterator[Any]:
        async for value in work(**arguments):
            yield value

    return _asyncio_fixture(work), pytest.fixture(again)


_room_server_of_asyncio, _room_server_of_anyio = _of_each(_serve)
_peer_of_asyncio, _peer_of_anyio = _of_each(_join_peers)
_browser_peer_of_asyncio, _browser_peer_of_anyio = _of_each(_join_browsers)


def _chosen(request: pytest.FixtureRequest, name: str) -> Any:
    """The fixture in the event loop of this test."""
    if "anyio_backend" in request.fixturenames:
        backend = request.getfixturevalue("anyio_backend_name")
        if backend != "asyncio":
            pytest.skip(f"the fixtures of roomcall run on asyncio, and this test on {backend}")
        return request.getfixturevalue(f"{name}_of_anyio")
    if not request.config.pluginmanager.hasplugin("asyncio"):
        pytest.fail("the fixtures of roomcall need pytest-asyncio, or a test with anyio's mark")
    return request.getfixturevalue(f"{name}_of_asyncio")


def _check_loop(loop: asyncio.AbstractEventLoop) -> None:
    """In a loop that stands still the server would never answer."""
    if asyncio.get_running_loop() is not loop:
        raise RuntimeError(
            "the test has another event loop than the fixtures of roomcall — give it the loop scope"
            ' "function", or set asyncio_default_fixture_loop_scope to that of the test; tests of'
            ' anyio need asyncio_mode "strict"'
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report
