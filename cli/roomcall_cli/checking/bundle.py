"""What a check leaves behind to be understood later: `--bundle DIR`.

check.json     the verdict, what was asked for, each peer's end, versions, the machine
NAME/          what that peer leaves behind: see `keeping.py`
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from roomcall.checking.runs import Run
from roomcall.checking.verdict import Verdict

from ..output import unwritable_file
from .keeping import machine, versions
from .pictures import path_of

if TYPE_CHECKING:
    from .conduct import Conductor


@dataclass(frozen=True, slots=True)
class Recorded:
    """`about` is check.json; `events` are by the names of the peers, `pictures` (JPEG) by the id of
    who sends and the name of who receives."""

    runs: Sequence[Run]
    about: Mapping[str, Any]
    events: Mapping[str, Sequence[Mapping[str, Any]]]
    pictures: Mapping[tuple[str, str], bytes]


def make(folder: Path) -> None:
    """Before anything else, so that wrong use is seen at once. Raises `click.UsageError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable_file(folder, error) from None


def write(folder: Path, conductor: "Conductor", verdict: Verdict, asked: Mapping[str, Any]) -> None:
    """Beside what the peers have left there. Raises `click.UsageError`."""
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
        text = json.dumps(about, ensure_ascii=False, indent=1)
        (folder / "check.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable_file(folder, error) from None


def read(folder: Path) -> Recorded:
    """Raises `click.UsageError` where it is no bundle of a check."""
    try:
        about = json.loads((folder / "check.json").read_text(encoding="utf-8"))
        names = [peer["name"] for peer in about["peers"]]
        events = {name: _lines(folder / name / "events.jsonl") for name in names}
        pictures = {
            (event["peer"], name): path.read_bytes()
            for name in names
            for event in events[name]
            if event["event"] == "member-joined"
            if (path := path_of(folder / name, event["peer"])).exists()
        }
        runs = [run_of(peer, events[peer["name"]]) for peer in about["peers"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"{folder} is no bundle of a check: {error} — make one with roomcall check --bundle"
        ) from None
    return Recorded(runs, about, events, pictures)


def run_of(peer: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Run:
    """A peer of check.json, with its events."""
    run = Run(peer["name"], leaves_first=bool(peer.get("leavesFirst")))
    run.code, run.error = peer["code"], peer["error"]
    first, last = peer["measured"] or (None, None)
    for number, event in enumerate([*events, None]):
        if number == first:
            run.begin_measuring()
        if number == last:
            run.end_measuring()
        if event is not None:
            run.add(event)
    return run


def _lines(path: Path) -> list[dict[str, Any]]:
    """None where the peer has not come so far as to write any."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
