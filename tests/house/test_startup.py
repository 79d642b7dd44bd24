"""What everybody waits for: an import, `--help`, and the answer to a mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roomcall_cli.main import COMMANDS

COMMAND = str(Path(sys.executable).with_name("roomcall"))
HEAVY = {"aiohttp", "aiortc", "av", "msgspec", "rich", "structlog", "roomcall.call"}
RUNS = 10  # at most
LIMIT = 0.150  # seconds of CPU, where Python needs `OWN_NEEDS` for these modules of its own
OWN = [sys.executable, "-c", "import asyncio, email.message, logging.handlers, unittest.mock"]
OWN_NEEDS = 0.080


def cpu_seconds(*command: str) -> float:
    """User and system time of one process: what else the machine does is not in it."""
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 2)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", "import roomcall"],
        [COMMAND, "--help"],
        *([COMMAND, name, "--help"] for name in COMMANDS),
        [COMMAND, "join", "standup", "--colour", "red"],
    ],
    ids=lambda command: " ".join(Path(part).name for part in command),
)
def test_it_is_quick(command: list[str]) -> None:
    cpu_seconds(*command)  # compiles what has changed
    times: list[float] = []
    own: list[float] = []
    for _ in range(RUNS):
        times.append(cpu_seconds(*command))
        if min(times) < LIMIT:
            return
        own.append(cpu_seconds(*OWN))  # a core that others use is slower for all
        if min(times) < LIMIT * min(own) / OWN_NEEDS:
            return
    raise AssertionError((times, own))


def test_nothing_heavy_is_loaded() -> None:
    program = f"""
import sys, roomcall
from roomcall_cli.main import command
for name in {["", *COMMANDS]!r}:
    command.main([name, "--help"] if name else ["--help"], "roomcall", standalone_mode=False)
loaded = {HEAVY!r} & set(sys.modules)
assert not loaded, loaded
"""
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", program]) == 0


def test_the_pytest_plugin_loads_nothing_of_the_library() -> None:
    program = f"""
import sys
import roomcall_cli.pytest_plugin
loaded = ({HEAVY!r} | {{"click", "roomcall", "roomcall_server"}}) & set(sys.modules)
assert not loaded, loaded
"""
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", program]) == 0


def test_the_pytest_plugin_is_harmless_without_pytest_asyncio(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "def test_mine(network): assert network(loss=0.1)\ndef test_server(room_server): pass\n"
    )
    (tmp_path / "pytest_asyncio.py").write_text("raise ImportError")
    command = ["-m", "pytest", "-q", "-p", "roomcall_cli.pytest_plugin", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "1 passed, 1 error" in run.stdout, run.stdout
    assert "need pytest-asyncio, or a test with anyio's mark" in run.stdout
