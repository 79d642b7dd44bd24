"""The direction of imports: it holds, and whoever breaks it is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]


def lint_imports(folder: Path) -> tuple[bool, str]:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        # Before the folders of an editable installation
        env={**os.environ, "PYTHONPATH": f"{folder}:{folder}/server:{folder}/cli"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    return run.returncode == 0, run.stdout + run.stderr


def test_it_holds() -> None:
    kept, said = lint_imports(HOUSE)
    assert kept, said


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Sources that a test may break."""
    for package in ("roomcall", "server/roomcall_server", "cli/roomcall_cli"):
        shutil.copytree(HOUSE / package, tmp_path / package)
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    return tmp_path


def test_each_violation_is_found(copy: Path) -> None:
    violations = {
        "roomcall/testing/shell.py": ("roomcall_cli.main", "point one way"),
        "server/roomcall_server/shell.py": ("roomcall_cli.main", "point one way"),
        "server/roomcall_server/decoder.py": ("av", "takes only the protocol"),
        "server/roomcall_server/rooms/media.py": ("roomcall.media.marks", "takes only"),
        "roomcall/peer/screen.py": ("rich.console", "knows the screen"),
        "roomcall/protocol/clock.py": ("time", "What decides"),
        "server/roomcall_server/rooms/waiting.py": ("asyncio", "What decides"),
    }
    for path, (module, _) in violations.items():
        (copy / path).write_text(f"import {module}\n")
    kept, said = lint_imports(copy)
    assert not kept
    for path, (module, contract) in violations.items():
        package = "roomcall_server" if path.startswith("server") else "roomcall"
        importer = f"{package}{path.split(package, 1)[1]}".removesuffix(".py").replace("/", ".")
        imported = module if module.startswith("roomcall") else module.split(".")[0]
        # One line wherever it fits
        assert f"{importer} -> {imported}" in " ".join(said.split()), said
        assert any(contract in line and "BROKEN" in line for line in said.splitlines()), said


def test_what_only_types_need_is_no_import(copy: Path) -> None:
    (copy / "server/roomcall_server/rooms/typing_only.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio\n"
    )
    kept, said = lint_imports(copy)
    assert kept, said
