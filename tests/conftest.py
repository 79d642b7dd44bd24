"""What holds for every test: nothing may be left behind, and tools beyond Python are named.

A test that leaves a task, a thread, a file descriptor or a child process behind fails, whatever
else it found.
"""

import asyncio
import gc
import inspect
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, TypeVar
from uuid import uuid4

import psutil
import pytest
from hypothesis import settings

from tests.breakable import BreakableWay
from tests.coturn import Coturn, running_coturn
from tests.namespaces import Namespace, NoNamespaces, namespaces
from tests.redis import RedisServer, running_redis

# The same examples in every run, and none fails for being slow on a loaded machine. Others are
# tried with `--hypothesis-profile default`.
settings.load_profile("ci")

# A shell's job in the background is started without SIGINT, and so would be all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ENDING = 10.0  # seconds for what is on its way out: a thread that returns, a child that is reaped

Key = TypeVar("Key", bound=Hashable)


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(inspect.unwrap(item.obj)):
        # First to be set up of what is the test's own, so last to be torn down: still in its loop.
        item.fixturenames.insert(item.fixturenames.index("_nothing_left") + 1, "_no_task_left")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("system"):
        package = marker.args[0]
        tool = marker.kwargs.get("tool", package)
        if shutil.which(tool) is None:
            _missing(f"{tool}, from the Debian package {package}: `make test SYSTEM=1` has it")
        if marker.kwargs.get("root") and os.geteuid() != 0:
            _missing("root")

    if item.get_closest_marker("long") and not _complete():
        pytest.skip("takes its time: `make test SYSTEM=1` runs it")


def _complete() -> bool:
    return bool(os.environ.get("CI") or os.environ.get("SYSTEM"))


def _missing(what: str) -> None:
    (pytest.fail if _complete() else pytest.skip)(f"needs {what}")


@pytest.fixture
async def way(room_server: Any) -> AsyncIterator[BreakableWay]:
    """To the server of the test."""
    way = BreakableWay(room_server.url)
    await way.open()
    yield way
    await way.close()


@pytest.fixture
def coturn() -> Iterator[Coturn]:
    """For tests marked with `system("coturn", tool="turnserver")`."""
    with running_coturn() as server:
        yield server


@pytest.fixture
def coturn_with_secret() -> Iterator[Coturn]:
    """Its users have credentials that hold for a while, made from its `secret`."""
    with running_coturn(secret="a secret of two") as server:
        yield server


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer | None]:
    """None where there is no redis-server."""
    if shutil.which("redis-server") is None:
        yield None
        return
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(shared_redis: RedisServer | None) -> str:
    """A store that is empty, for tests marked with `system("redis-server")`."""
    return f"{shared_redis.url}?prefix={uuid4()}:" if shared_redis is not None else ""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis that the test may stop and kill, for tests marked with `system("redis-server")`."""
    with running_redis() as server:
        yield server


@pytest.fixture
def machines() -> Iterator[list[Namespace]]:
    """Two, each with its loopback alone, for tests marked with `system("iproute2", tool="ip",
    root=True)`."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(namespaces(2))
        except NoNamespaces as error:
            _missing(f"network namespaces, which this machine refuses ({error})")
        yield made


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """No thread, descriptor or child process outlives its test."""
    watched: dict[str, Callable[[], Mapping[Hashable, str]]] = {
        "thread": _threads,
        "descriptor": _descriptors,
        "child process": _children,
    }
    before = {kind: set(look()) for kind, look in watched.items()}
    yield
    left = _settled(lambda: _left(watched, before))
    assert not left, "left behind by the test:\n  " + "\n  ".join(left)


@pytest.fixture
async def _no_task_left(_nothing_left: None) -> AsyncIterator[None]:
    """No task of the test's event loop outlives its fixtures."""
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # a task that has just been cancelled ends with the loop's next turns
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()]
    assert not left, "tasks left behind by the test:\n  " + "\n  ".join(map(repr, left))


def _left(
    watched: Mapping[str, Callable[[], Mapping[Hashable, str]]],
    before: Mapping[str, set[Hashable]],
) -> list[str]:
    return [
        f"{kind} {text}"
        for kind, look in watched.items()
        for key, text in look().items()
        if key not in before[kind] and not _is_of_another(key, before[kind])
    ]


def _is_of_another(key: Hashable, before: set[Hashable]) -> bool:
    """A process started by one that was there before, such as a browser that serves many tests."""
    if not isinstance(key, psutil.Process):
        return False
    try:
        return any(parent in before for parent in key.parents())
    except psutil.NoSuchProcess:
        return True


def _settled(left: Callable[[], list[str]]) -> list[str]:
    """What is still left when the garbage is gone and what was ending has ended."""
    if not left():
        return []
    gc.collect()
    deadline = time.monotonic() + ENDING
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def _threads() -> dict[Hashable, str]:
    return {thread: thread.name for thread in threading.enumerate()}


def _children() -> dict[Hashable, str]:
    return {
        child: f"{child.pid}: {_command(child)}"
        for child in psutil.Process().children(recursive=True)
    }


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.status()
    except psutil.Error:
        return "ended, but not waited for"


def _descriptors() -> dict[Hashable, str]:
    """By number and what it stands for, so that a number in use again is another descriptor."""
    if sys.platform != "linux":
        process = psutil.Process()
        files = {(file.fd, file.path): file.path for file in process.open_files()}
        return {**files, **{(c.fd, str(c)): str(c) for c in process.net_connections()}}
    found: dict[Hashable, str] = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # the one by which the folder itself was read
            continue
        found[number, target] = f"{number}: {target}{_address(int(number), target)}"
    return found


def _address(number: int, target: str) -> str:
    if not target.startswith("socket:"):
        return ""
    for connection in psutil.Process().net_connections("all"):
        if connection.fd == number:
            return f" {connection.laddr} to {connection.raddr or 'nobody'} {connection.status}"
    return ""
