"""What a check leaves behind to be understood later: `--bundle DIR`.

    check.json     the verdict, what was asked for, each peer's end, versions, the machine
    NAME.jsonl     the events of a peer
    NAME.log       what it said on stderr

It holds no secret: none is in events, and none in logs.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

import click

import roomcall
from roomcall.checking.runs import Run
from roomcall.checking.verdict import Verdict

from ..output import unwritable_file

if TYPE_CHECKING:
    from .conduct import Conductor


@dataclass(frozen=True, slots=True)
class Recorded:
    """`about` is check.json."""

    runs: Sequence[Run]
    about: Mapping[str, Any]
    events: Mapping[str, Sequence[Mapping[str, Any]]]


class Bundle:
    """Written while it is entered. Raises `click.UsageError` where it cannot be."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = names
        self._files: dict[str, TextIO] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in self._names:
                file = (self._folder / f"{name}.jsonl").open("w", encoding="utf-8")
                self._files[name] = self._stack.enter_context(file)
        except OSError as error:
            self._stack.close()
            raise unwritable_file(self._folder, error) from None
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._stack.close()

    def event(self, run: Run, event: Mapping[str, Any]) -> None:
        self._files[run.name].write(json.dumps(event, ensure_ascii=False) + "\n")

    def end(self, conductor: "Conductor", verdict: Verdict, asked: Mapping[str, Any]) -> None:
        about = {
            "verdict": verdict.to_dict(),
            "code": verdict.code,
            "complete": verdict.complete,
            "asked": asked,
            "others": conductor.others,
            "missing": conductor.missing,
            "peers": [
                {
                    "name": run.name,
                    "code": run.code,
                    "error": run.error,
                    "measured": run.measured,
                    "leavesFirst": run.leaves_first,
                }
                for run in conductor.runs
            ],
            "versions": versions(),
            "machine": machine(),
        }
        try:
            for peer in conductor.peers:
                log = "".join(f"{line}\n" for line in peer.log)
                (self._folder / f"{peer.run.name}.log").write_text(log, encoding="utf-8")
            text = json.dumps(about, ensure_ascii=False, indent=1)
            (self._folder / "check.json").write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise unwritable_file(self._folder, error) from None


def read(folder: Path) -> Recorded:
    """Raises `click.UsageError` where it is no bundle of a check."""
    try:
        about = json.loads((folder / "check.json").read_text(encoding="utf-8"))
        events = {
            peer["name"]: [
                json.loads(line)
                for line in (folder / f"{peer['name']}.jsonl").read_text("utf-8").splitlines()
            ]
            for peer in about["peers"]
        }
        runs = [run_of(peer, events[peer["name"]]) for peer in about["peers"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"{folder} is no bundle of a check: {error} — make one with roomcall check --bundle"
        ) from None
    return Recorded(runs, about, events)


def run_of(peer: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Run:
    """A peer of check.json, with its events."""
    run = Run(peer["name"], leaves_first=bool(peer.get("leavesFirst")))
    run.code, run.error = peer["code"], peer["error"]
    first, last = peer["measured"] or (None, None)
    count = 0
    for event in events:
        if event["event"] == "stats":
            if count == first:
                run.begin_measuring()
            elif count == last:
                run.end_measuring()
            count += 1
        run.add(event)
    return run


def versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("aiortc", "aioice", "av", "aiohttp")
    return {
        "roomcall": roomcall.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def machine() -> dict[str, Any]:
    return {"system": platform.platform(), "cores": os.cpu_count()}
