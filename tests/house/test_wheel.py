"""What users install: the wheel, from the source distribution, in an environment of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest

from tests.house.test_docs import BLOCKS
from tests.machine import Load

HOUSE = Path(__file__).parents[2]

pytestmark = pytest.mark.long


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    # Not what this environment has on its path
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, **options
    )


class Installed(NamedTuple):
    wheel: Path
    binaries: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, and where it is installed; built once."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--outdir", folder, HOUSE)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    assert run(sys.executable, "-m", "venv", environment).returncode == 0
    binaries = environment / "bin"
    pip = run(binaries / "python", "-m", "pip", "install", "--quiet", wheel)
    assert pip.returncode == 0, pip.stderr
    return Installed(wheel, binaries)


@pytest.mark.timeout(240)  # it fetches the dependencies
def test_it_works_where_nothing_else_is(installed: Installed, tmp_path: Path) -> None:
    wheel, binaries = installed
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"roomcall", "roomcall_server", "roomcall_cli"} == {t for t in tops if "-" not in t}
    assert {f"{top}/py.typed" for top in tops if "-" not in top} <= set(names)

    web = "roomcall_server/http/web"
    licences = {f"{web}/vendor/{name}" for name in ("NOTICE", "LICENSE.preact", "LICENSE.htm")}
    assert {f"{web}/index.html", *licences} <= set(names)

    demo = run(binaries / "roomcall", "demo", "--duration", "4", "--json", cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    events = [json.loads(line)["event"] for line in demo.stdout.splitlines()]
    assert events.count("peer-connected") == 6
    assert events.count("first-frame") >= 6
    assert_page_is_served(binaries / "roomcall", tmp_path)


@pytest.mark.timeout(240)  # it fetches pytest
@pytest.mark.long
def test_a_project_of_others_tests_with_it(installed: Installed, tmp_path: Path) -> None:
    wheel, binaries = installed
    project = tmp_path / "project"
    shutil.copytree(HOUSE / "examples/pytest_project", project)
    for block in BLOCKS:  # and what the pages show
        if block.title.startswith("test_"):
            (project / "tests" / block.title).write_text(block.text)
    wanted = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    tools = wanted["dependencies"] + wanted["optional-dependencies"]["test"]
    pip = run(binaries / "python", "-m", "pip", "install", "--quiet", wheel, *tools)
    assert pip.returncode == 0, pip.stderr
    for _ in range(3):  # where the machine had nothing left, its pictures are too few
        load = Load()
        tests = run(binaries / "python", "-m", "pytest", "-n", "2", "-ra", cwd=project)
        if tests.returncode == 0 or not load.is_saturated():
            break
    assert tests.returncode == 0, tests.stdout
    assert " passed" in tests.stdout and "playwright" in tests.stdout.split("SKIPPED")[1]


def assert_page_is_served(roomcall: Path, folder: Path) -> None:
    command = [roomcall, "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            for path, text in (("/", "<title>roomcall</title>"), ("/page/main.js", "app.start()")):
                with urlopen(url + path) as response:
                    assert text in response.read().decode()
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0
