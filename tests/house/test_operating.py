"""The operator's guide names every option of the server and every metric."""

import re
import tomllib
from pathlib import Path

import click

import roomcall_server.http.metrics as metrics
from roomcall_cli.commands.serve import command

GUIDE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
OPTIONS = {
    name
    for param in command.params
    if isinstance(param, click.Option)
    for name in param.opts
    if name.startswith("--")
}


def test_every_option_and_no_other() -> None:
    table = GUIDE.partition("## Options")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `--")]
    assert set(re.findall(r"`(--[\w-]+)", "".join(rows))) == OPTIONS


def test_the_file_has_options() -> None:
    (text,) = re.findall(r'```toml title="/etc/roomcall.toml"\n(.*?)```', GUIDE, re.DOTALL)
    assert {f"--{key}" for key in tomllib.loads(text)["serve"]} <= OPTIONS


def test_every_metric() -> None:
    source = Path(metrics.__file__).read_text()
    told = set(re.findall(r"^\| `(roomcall_\w+?)(?:_total)?[`{]", GUIDE, re.MULTILINE))
    assert told == set(re.findall(r'"(roomcall_\w+)"', source))
