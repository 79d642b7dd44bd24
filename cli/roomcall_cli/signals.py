"""SIGINT and SIGTERM.

Rule 1. The first asks the command to end: it leaves its room, finishes its files, and exits 0.
Rule 2. A second SIGINT ends the process at once with 130. The terminal is then as it was found.
Rule 3. A second SIGTERM hurries a command that takes its time to end, where it can be hurried.
Rule 4. Before the event loop runs there is nothing to finish: the first ends the process with 0.
"""

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from .terminal import Mode, mode, put_back

if TYPE_CHECKING:
    import asyncio  # takes longer to load than the help of a command takes to write

_SHOW_CURSOR = "\x1b[?25h"


class Interrupted(BaseException):
    """The command ended because it was asked to, with nothing left to do."""


class Signals:
    def __init__(self) -> None:
        self._asked = False
        self._hurried = False
        self._terminal: Mode | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._answer: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._answering: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._terminal = mode()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        # Nothing is left to be interrupted: the process is ending by itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def run(
        self, main: Coroutine[Any, Any, None], *, fast: bool = False, hurried: bool = False
    ) -> None:
        """`asyncio.run` whose main task is cancelled by the first signal, unless it `answers`.
        `fast`: on uvloop, where there is one. `hurried`: a second SIGTERM cancels it again.

        Raises `Interrupted` where it was cancelled.
        """
        import asyncio

        self._hurried = hurried
        try:
            with asyncio.Runner(loop_factory=_fast_loop() if fast else None) as runner:
                runner.run(self._run(main))
        except asyncio.CancelledError:
            raise Interrupted from None
        finally:
            self._loop = None

    async def _run(self, main: Coroutine[Any, Any, None]) -> None:
        import asyncio

        self._main = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        await main

    @contextmanager
    def answered_by(self, answer: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[None]:
        """Inside, the first signal runs `answer` and cancels nothing."""
        self._answer = answer
        try:
            yield
        finally:
            self._answer = None

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            if number == signal.SIGINT:
                self._abort()
            elif self._hurried and self._loop is not None and self._main is not None:
                self._loop.call_soon_threadsafe(self._main.cancel)
            return
        self._asked = True
        if self._loop is None:
            raise Interrupted
        self._loop.call_soon_threadsafe(self._ask)

    def _ask(self) -> None:
        assert self._main is not None and self._loop is not None
        if self._answer is None:
            self._main.cancel()
        else:
            self._answering = self._loop.create_task(self._answer())

    def _abort(self) -> None:
        if sys.stderr.isatty():  # a live table hides it
            sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
        put_back(self._terminal)
        os._exit(130)


def _fast_loop() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:  # not for this system
        return None
    return uvloop.new_event_loop


# One process has one set of signals.
signals = Signals()
