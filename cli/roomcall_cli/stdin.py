"""Lines that are typed or piped in, while all else goes on."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext

MAX_AHEAD = 16  # lines that are read before they are taken


async def lines() -> AsyncIterator[str]:
    """Until the end of the input. On a terminal, a prompt that others' words do not disturb."""
    async for line in _typed() if sys.stdin.isatty() else _piped():
        yield line


def undisturbed() -> AbstractContextManager[None]:
    """Inside, what is printed stays above the prompt."""
    if not sys.stdin.isatty():
        return nullcontext()
    from prompt_toolkit.patch_stdout import patch_stdout

    return patch_stdout(raw=True)


async def _typed() -> AsyncIterator[str]:
    from prompt_toolkit import PromptSession

    session: PromptSession[str] = PromptSession("> ", erase_when_done=True)
    while True:
        try:
            # Signals are the command's own; Ctrl-C reaches it as any other does.
            yield await session.prompt_async(handle_sigint=False)
        except (EOFError, KeyboardInterrupt):
            return


async def _piped() -> AsyncIterator[str]:
    """Read in a thread that nobody waits for: a read cannot be cancelled, nor a file be polled."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    space = threading.Semaphore(MAX_AHEAD)

    def read() -> None:
        for line in sys.stdin:
            space.acquire()
            loop.call_soon_threadsafe(queue.put_nowait, line.rstrip("\r\n"))
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, name="roomcall-stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
        space.release()
        yield line
