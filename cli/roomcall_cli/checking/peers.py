"""One peer of `roomcall check`: a `roomcall join --json` in a process of its own.

Nothing of the user's own settings reaches it but what it is given. Secrets go by its environment.
It is not in the terminal's group, so Ctrl-C is for its parent alone; should that be killed, the
peer ends with the pipe to it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from roomcall.checking.runs import Run

Event = Mapping[str, Any]

_LONGEST_LINE = 1 << 20  # bytes


class PeerProcess:
    """`run` has what it says. `on_event` is called with each event, `on_end` when it has ended."""

    def __init__(
        self, run: Run, on_event: Callable[[Run, Event], None], on_end: Callable[[], None]
    ) -> None:
        self.run = run
        self._on_event = on_event
        self._on_end = on_end
        self._asked = False
        self._process: asyncio.subprocess.Process | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self, arguments: Sequence[str], secrets: Mapping[str, str]) -> None:
        """With the arguments of `roomcall`; `secrets` by the names of environment variables."""
        clean = {name: value for name, value in os.environ.items() if "ROOMCALL" not in name}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "roomcall_cli", "--config", os.devnull, *arguments),
            env={**clean, **secrets},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
        self._following = asyncio.create_task(self._follow(), name=f"roomcall-{self.run.name}")

    @property
    def ended(self) -> bool:
        return self._following is not None and self._following.done()

    def interrupt(self) -> None:
        """Ask it to leave, once: a second time would abort it."""
        if not self._asked:
            self._asked = True
            self._signal(signal.SIGINT)

    async def end(self, patience: float) -> None:
        """Wait for its end; what does not come to one within `patience` seconds is killed."""
        if self._following is None:
            return
        _, still = await asyncio.wait([self._following], timeout=patience)
        if still:
            self._signal(signal.SIGKILL)
            await self._following
            self.run.error = f"it did not leave within {patience:g} s"

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _follow(self) -> None:
        process = self._process
        assert process is not None and process.stdout is not None and process.stderr is not None
        try:
            await asyncio.gather(self._read_events(process.stdout), self._read_log(process.stderr))
        except ValueError as error:  # no JSON, or a line without an end
            self.run.error = f"what it says cannot be read: {error}"
            self._signal(signal.SIGKILL)
        self.run.code = await process.wait()
        self._on_end()

    async def _read_events(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            event = json.loads(line)
            self.run.add(event)
            self._on_event(self.run, event)

    async def _read_log(self, stderr: asyncio.StreamReader) -> None:
        async for raw in stderr:
            line = raw.decode(errors="replace").rstrip()
            # Its own word on how it ended; else the last one that there was.
            if line and not self.run.error.startswith("Error: "):
                self.run.error = line
