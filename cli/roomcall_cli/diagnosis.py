"""How the findings of `roomcall doctor` look: lines for people, or JSON."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from roomcall.doctor.findings import Finding, Status, Verdict
from roomcall.events import rfc3339

from .lines import stdout_console
from .output import unwritable, write_json
from .wording import printable

_MARKS = {
    Status.OK: ("✓", "green"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("–", "dim"),
    Status.SATURATED: ("–", "yellow"),
}
_NAME_WIDTH = 16


def table_of(finding: Finding) -> Table:
    """Pure: what was found, and under it what to do about it."""
    mark, style = _MARKS[finding.status]
    faint = "dim" if finding.status is Status.SKIPPED else ""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=3)
    table.add_column(min_width=_NAME_WIDTH, no_wrap=True)
    table.add_column()
    figure = Text(printable(finding.figure), faint)
    table.add_row(Text(f"  {mark}", style), printable(finding.name), figure)
    if finding.advice:
        table.add_row("", "", Text.assemble(("→ ", style), (printable(finding.advice), faint)))
    return table


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
        self._print(Text(title, "bold"))

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._print(table_of(finding))

    def end(self, verdict: Verdict) -> None:
        self._print(last_line(self.findings, verdict))

    def _print(self, what: Table | Text) -> None:
        try:
            self._console.print(what, soft_wrap=False)
        except OSError as error:
            raise unwritable(error) from None


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
