"""The watch over what a test leaves behind: it finds each kind, and names it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LEAKY = """
import asyncio, os, socket, subprocess, sys, threading

kept = []

async def test_task():
    kept.append(asyncio.create_task(asyncio.sleep(60), name="endless"))

def test_thread():
    stop = threading.Event()
    kept.append(stop)
    threading.Thread(target=stop.wait, name="waiting-for-ever", daemon=True).start()

def test_socket():
    kept.append(socket.create_server(("127.0.0.1", 0)))

def test_pipe():
    kept.append(os.pipe())

def test_child():
    kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

def test_zombie():
    kept.append(subprocess.Popen([sys.executable, "-c", ""]))

async def test_clean():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    server.close()
    await server.wait_closed()
    await asyncio.to_thread(sum, [1])
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
"""


def run_pytest(folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    options = ["asyncio_mode=auto", "markers=system(package): a tool"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(folder)]
        + [part for option in options for part in ("-o", option)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=50,
    )


def test_each_kind_of_leak_fails_its_test(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    conftest = tmp_path / "conftest.py"
    conftest.write_text(conftest.read_text().replace("ENDING = 10.0", "ENDING = 0.3"))
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    run = run_pytest(tmp_path, {})
    found = {
        name: next((line for line in run.stdout.splitlines() if text in line), None)
        for name, text in {
            "task": "name='endless'",
            "thread": "thread waiting-for-ever",
            "socket": "socket:[",
            "pipe": "pipe:[",
            "child": "child process",
        }.items()
    }
    assert None not in found.values(), f"{found}\n{run.stdout}"
    assert "7 passed, 6 errors" in run.stdout, run.stdout
    assert "ERROR test_leaky.py::test_clean" not in run.stdout


def test_a_missing_tool_skips_and_in_ci_fails(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_tool.py").write_text(
        "import pytest\n"
        "@pytest.mark.system('no-such-package')\n"
        "def test_needs_it(): raise AssertionError('was run')\n"
        "@pytest.mark.system('bash', tool='sh')\n"
        "def test_has_it(): pass\n"
    )
    summaries = {}
    for environment in ({}, {"CI": "1"}, {"SYSTEM": "1"}):
        run = run_pytest(tmp_path, environment)
        assert "no-such-package" in run.stdout, run.stdout
        summaries[tuple(environment)] = run.stdout.strip().splitlines()[-1]
    assert "1 passed, 1 skipped" in summaries[()]
    assert "1 passed, 1 error" in summaries[("CI",)]
    assert "1 passed, 1 error" in summaries[("SYSTEM",)]
