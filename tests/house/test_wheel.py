"""What users install: the wheel, from the source distribution, in an environment of its own."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

HOUSE = Path(__file__).parents[2]


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    # Not what this environment has on its path
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, **options
    )


@pytest.mark.timeout(240)  # it fetches the dependencies
def test_it_works_where_nothing_else_is(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "build", "--outdir", tmp_path, HOUSE)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"roomcall", "roomcall_server", "roomcall_cli"} == {t for t in tops if "-" not in t}
    assert {f"{top}/py.typed" for top in tops if "-" not in top} <= set(names)

    web = "roomcall_server/http/web"
    licences = {f"{web}/vendor/{name}" for name in ("NOTICE", "LICENSE.preact", "LICENSE.htm")}
    assert {f"{web}/index.html", *licences} <= set(names)

    environment = tmp_path / "environment"
    assert run(sys.executable, "-m", "venv", environment).returncode == 0
    binaries = environment / "bin"
    installed = run(binaries / "python", "-m", "pip", "install", "--quiet", wheel)
    assert installed.returncode == 0, installed.stderr

    demo = run(binaries / "roomcall", "demo", "--duration", "4", "--json", cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    events = [json.loads(line)["event"] for line in demo.stdout.splitlines()]
    assert events.count("peer-connected") == 6
    assert events.count("first-frame") >= 6
    assert_page_is_served(binaries / "roomcall", tmp_path)


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
