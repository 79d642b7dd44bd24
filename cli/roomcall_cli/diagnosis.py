"""How the findings of `roomcall doctor` look: lines for people, or JSON."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from roomcall.doctor.findings import Finding, Status, Verdict
from roomcall.events import rfc3339

from .lines import stdout_console
from .output import write_json
from .wording import printable

_MARKS = {
    Status.OK: ("✓", "green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("–", "dim"),
    Status.SATURATED: ("–", "yellow"),
}
_NAME_WIDTH = 16


def lines_of(finding: Finding) -> Iterator[Text]:
    """Pure: what was found, and what to do about it."""
    mark, style = _MARKS[finding.status]
    faint = "dim" if finding.status is Status.SKIPPED else ""
    name = printable(finding.name).ljust(_NAME_WIDTH)
    figure = printable(finding.figure)
    yield Text.assemble("  ", (mark, style), f" {name} ", (figure, faint))
    if finding.advice:
        indent = " " * (_NAME_WIDTH + 5)
        yield Text.assemble(indent, ("→ ", style), (printable(finding.advice), faint))


def last_line(findings: Sequence[Finding], verdict: Verdict) -> Text:
    """Pure: the verdict, and how many there are of each mark."""
    if verdict.ok:
        said = "All that was asked works", "bold green"
    elif verdict.ok is False:
        count = len(verdict.failures)
        said = f"{count} {'things' if count > 1 else 'thing'} to mend: see ✗", "bold red"
    elif verdict.saturated:
        said = "No verdict: this machine is too busy", "bold yellow"
    else:
        said = "No verdict: not all was asked", "bold yellow"
    marks = [_MARKS[finding.status][0] for finding in findings]
    counts = ", ".join(f"{marks.count(mark)} {mark}" for mark in "✓✗–")
    return Text.assemble(said, (f" ({counts})", "dim"))


class Lines:
    """For people, each line as soon as it is known."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._console = stdout_console()

    def begin(self, title: str) -> None:
        self._console.print(Text(title, "bold"))

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        for line in lines_of(finding):
            self._console.print(line)

    def end(self, verdict: Verdict) -> None:
        self._console.print(last_line(self.findings, verdict))


class JsonLines:
    """A `finding` a line, and the `verdict`."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._started = time.monotonic()
        self._group = ""

    def begin(self, title: str) -> None:
        self._group = title

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._write("finding", {"group": self._group, **asdict(finding)})

    def end(self, verdict: Verdict) -> None:
        self._write("verdict", {**asdict(verdict), "expectations": []})

    def _write(self, event: str, fields: dict[str, Any]) -> None:
        t = round(time.monotonic() - self._started, 3)
        write_json({"event": event, "at": rfc3339(datetime.now(UTC)), "t": t, **fields})
