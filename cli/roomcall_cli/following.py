"""What every command with a call does while it lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import roomcall
from roomcall.errors import NoMediaPath, RecordingError

if TYPE_CHECKING:
    from roomcall import Call, Event, Recording

    from .output import Output


NAMES = ("ann", "bob", "cem", "dora", "emil", "fay", "gus", "hana", "ivo", "june")


def names(count: int) -> list[str]:
    """For peers of which a command makes several."""
    return [NAMES[i] if i < len(NAMES) else f"peer {i + 1}" for i in range(count)]


async def show(call: "Call", output: "Output", *others: "Callable[[Event], None]") -> None:
    """Show every event until the call ends, to `others` too. Raises what ended it, where that is an
    error."""
    async for event in call:
        for see in others:
            see(event)
        if not isinstance(event, roomcall.Queued):  # it was shown when it came: `on_queued`
            output.event(event, call.id)
    if call.error is not None:
        raise call.error


async def leave_all(calls: "Iterable[Call]", reason: str) -> None:
    await asyncio.gather(*(call.leave(reason) for call in calls))


async def leave_after(seconds: float, calls: "Iterable[Call]") -> None:
    await asyncio.sleep(seconds)
    await leave_all(calls, "duration")


async def leave_when_empty(call: "Call") -> None:
    """Leave when everybody else has left; where nobody is there yet, somebody is waited for."""
    async for event in call:
        if isinstance(event, roomcall.PeerLeft) and not call.peers:
            await call.leave("empty")


def check_recording(recording: "Recording") -> None:
    """When it has ended. Raises `RecordingError` where a file could not be written."""
    if recording.failures:
        more = len(recording.failures) - 1
        others = f" (and {more} more)" if more else ""
        raise RecordingError(
            str(recording.folder),
            f"{recording.failures[0]}{others} — make room for it, or name another folder",
        )


async def expect_peers(call: "Call", count: int, timeout: float) -> None:
    """Return when `count` peers are connected at the same time. Raises `NoMediaPath`."""
    try:
        async with asyncio.timeout(timeout):
            async for event in call:
                if isinstance(event, roomcall.Left) and event.reason == "interrupted":
                    return  # whoever ends it early has no question
                if _connected(call) >= count:
                    return
    except TimeoutError:
        pass
    states = [f"{peer.name or peer.id[:8]} is {peer.state}" for peer in call.peers.values()]
    raise NoMediaPath(
        None,
        f"connected to {_connected(call)} of {count} expected peers"
        f" ({', '.join(states) or 'nobody else is in the room'})"
        " — see that they are there, and that UDP passes between the two",
    )


def _connected(call: "Call") -> int:
    return sum(peer.state == "connected" for peer in call.peers.values())


@asynccontextmanager
async def beside(
    *work: Coroutine[Any, Any, None],
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Runs `work` while it is entered, not longer."""
    tasks = [asyncio.create_task(part) for part in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def single_error() -> Iterator[None]:
    """Of what a task group raises, the first alone: the others are its consequences."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
