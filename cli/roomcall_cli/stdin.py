"""Lines that are typed or piped in, while all else goes on."""

import asyncio
import io
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, nullcontext

from .terminal import is_typed_on

MAX_AHEAD = 16  # lines that are read before they are taken


def lines() -> AsyncIterator[str]:
    """Until the end of the input. On a terminal, a prompt that others' words do not disturb."""
    if not is_typed_on():
        return _piped()
    from .prompt import typed  # prompt_toolkit loads only where people type

    return typed()


def undisturbed() -> AbstractContextManager[None]:
    """Inside, what is printed stays above the prompt."""
    if not is_typed_on():
        return nullcontext()
    from .prompt import above

    return above()


def _text() -> Iterable[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is no text is said as far as it is
    return sys.stdin or ()


async def _piped() -> AsyncIterator[str]:
    """Read in a thread that nobody waits for: a read cannot be cancelled, nor a file be polled."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    space = threading.Semaphore(MAX_AHEAD)

    def read() -> None:
        for line in _text():
            space.acquire()
            loop.call_soon_threadsafe(queue.put_nowait, line.rstrip("\r\n"))
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, name="roomcall-stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
        space.release()
        yield line
