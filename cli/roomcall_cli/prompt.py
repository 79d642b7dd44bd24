"""The prompt of `roomcall chat`, which others' words leave alone.

Rule 1. One prompt stays from the first line to the last: what is typed between two would be lost.
Rule 2. The terminal stays raw all the while. Where it is cooked for the moment in which something
        is printed, a ctrl-D of that moment arrives as a NUL, and what is typed is echoed twice.
Rule 3. The prompt is drawn on stdout or else on stderr, where that is a terminal. What is printed
        there goes above it; what goes elsewhere never meets it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
    suppress,
)

from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import DummyOutput, Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.widgets import TextArea

MAX_AHEAD = 16  # lines that are typed before they are taken


class _Keyboard(Vt100Input):
    def cooked_mode(self) -> AbstractContextManager[None]:
        return nullcontext()  # rule 2


def _screen() -> Output:
    for stream in (sys.stdout, sys.stderr):
        if stream.isatty():
            screen = Vt100_Output.from_pty(stream, os.environ.get("TERM"))
            # One line needs no position of the cursor; all else would wait for the answer.
            screen.enable_cpr = False
            return screen
    return DummyOutput()


@contextmanager
def above() -> Iterator[None]:
    """Inside, what is printed to the terminal stays above the prompt."""
    with (
        create_app_session(_Keyboard(sys.stdin), _screen()),
        StdoutProxy(raw=True) as proxy,
        redirect_stdout(proxy) if sys.stdout.isatty() else nullcontext(),
        redirect_stderr(proxy) if sys.stderr.isatty() else nullcontext(),
    ):
        yield


async def typed() -> AsyncIterator[str]:
    """Line after line until ctrl-D, ctrl-C or the terminal's end. Inside `above`."""
    queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_AHEAD + 1)

    def accept(buffer: Buffer) -> bool:
        """True where the line stays, as there are too many before it."""
        if queue.qsize() >= MAX_AHEAD:
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
        with suppress(EOFError):  # the terminal is gone
            # Signals and what goes wrong elsewhere are not the prompt's.
            await prompt.run_async(handle_sigint=False, set_exception_handler=False)

    showing = asyncio.create_task(show())
    showing.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (line := await queue.get()) is not None:
            yield line
        await showing
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
