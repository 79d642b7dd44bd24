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
    """One prompt that stays: between two of them, what is typed would be lost."""
    from prompt_toolkit.application import Application
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.layout import Layout
    from prompt_toolkit.widgets import TextArea

    queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_AHEAD)

    def accept(buffer: Buffer) -> bool:
        """True where the line stays, as there are too many before it."""
        if queue.full():
            return True
        queue.put_nowait(buffer.text)
        return False

    keys = KeyBindings()

    @keys.add("c-c")
    @keys.add("c-d")
    def leave(event: KeyPressEvent) -> None:
        event.app.exit()

    area = TextArea(
        prompt="> ",
        height=1,
        multiline=False,
        accept_handler=accept,
        history=InMemoryHistory(),
    )
    prompt: Application[None] = Application(Layout(area), key_bindings=keys, erase_when_done=True)

    async def show() -> None:
        await prompt.run_async(handle_sigint=False)  # signals are the command's own
        await queue.put(None)

    showing = asyncio.create_task(show())
    try:
        while (line := await queue.get()) is not None:
            yield line
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


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
