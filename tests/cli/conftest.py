"""The command as its users run it: a process, its lines, its exit code."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.namespaces import Namespace

COMMAND = Path(sys.executable).with_name("roomcall")
TIMEOUT = 50.0  # seconds, on a machine that is busy


class Run:
    """One `roomcall` process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.errors = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has printed with --json so far."""
        return [json.loads(line) for line in self.lines]

    def seen(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """The events so far that have these fields."""
        return [e for e in self.events if e.items() >= {"event": event, **fields}.items()]

    async def line(self) -> str:
        """The next line of stdout; "" at its end."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT):
            line = (await self.process.stdout.readline()).decode()
        if line:
            self.lines.append(line)
        return line

    async def event(self, event: str, **fields: Any) -> dict[str, Any]:
        """Read on until an event with these fields comes."""
        with contextlib.suppress(TimeoutError):
            while line := await self.line():
                found: dict[str, Any] = json.loads(line)
                if found.items() >= {"event": event, **fields}.items():
                    return found
        self.process.kill()
        code = await self.ended()
        said = "".join(line for line in self.lines if '"stats"' not in line)
        raise AssertionError(f"no {event} {fields}, {code}:\n{said}\n{self.errors}")

    async def ended(self) -> int:
        """Its exit code; `lines` and `errors` have all that it said."""
        async with asyncio.timeout(TIMEOUT):
            rest, errors = await self.process.communicate()
        self.errors += (errors or b"").decode()
        self.lines += (rest or b"").decode().splitlines(keepends=True)
        assert self.process.returncode is not None
        return self.process.returncode

    async def interrupted(self) -> int:
        """Send SIGINT, as Ctrl-C does, and wait for its end."""
        self.process.send_signal(signal.SIGINT)
        return await self.ended()


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that runs in this process sets up logging for all of it."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("roomcall", "roomcall_cli", "roomcall_server"))]
    levels, handlers = [logger.level for logger in loggers], root.handlers[:]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    root.handlers[:] = handlers


Start = Callable[..., Awaitable[Run]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts `roomcall ARGUMENTS` in an empty folder, without anybody's settings."""
    runs: list[Run] = []

    async def start(
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        stdin: int | str | bytes = asyncio.subprocess.DEVNULL,
        stdout: Any = asyncio.subprocess.PIPE,
        stderr: Any = asyncio.subprocess.PIPE,
        namespace: Namespace | None = None,
    ) -> Run:
        """`stdin` may be a text, which is all that it is given."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        command = (str(COMMAND), *map(str, arguments))
        clean = {name: value for name, value in os.environ.items() if "ROOMCALL" not in name}
        process = await asyncio.create_subprocess_exec(
            *(command if namespace is None else namespace.command(*command)),
            cwd=tmp_path,
            env={**clean, "HOME": str(tmp_path), "XDG_CONFIG_HOME": "", **(environment or {})},
            stdin=asyncio.subprocess.PIPE if isinstance(given, bytes) else given,
            stdout=stdout,
            stderr=stderr,
        )
        if isinstance(given, bytes):
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.close()
        runs.append(Run(process))
        return runs[-1]

    yield start
    for run in runs:
        with contextlib.suppress(ProcessLookupError):
            run.process.kill()
        await run.ended()
