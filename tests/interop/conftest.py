"""The table of what works: filled by the run, and written where `INTEROP_TABLE` says."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.interop.stacks import NAMES, version_of

BEGIN, END = "<!-- table: written by make interop -->\n", "<!-- table: end -->"
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}

_results = pytest.StashKey[dict[tuple[str, str], tuple[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cell(row): which row of the table a test fills")
    config.stash[_results] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    marker, stack = item.get_closest_marker("cell"), getattr(item, "callspec", None)
    if marker is not None and stack is not None and (report.when == "call" or not report.passed):
        results = item.config.stash[_results]
        key = marker.args[0].format(**stack.params), stack.params["name"]
        why = getattr(report, "wasxfail", "")
        if report.skipped and not why:
            why = report.longrepr[2].removeprefix("Skipped: ")
        elif report.failed:
            error = call.excinfo.value if call.excinfo else None
            why = (str(error) or type(error).__name__).splitlines()[0][:120]
        outcome = "failed" if hasattr(report, "wasxfail") else report.outcome
        if results.get(key, ("passed", ""))[0] == "passed":
            results[key] = outcome, why
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = os.environ.get("INTEROP_TABLE")
    results = session.config.stash[_results]
    # A run of some of them has nothing to say of the rest.
    if path and {name for _, name in results} == set(NAMES):
        page = Path(path).read_text()
        before, rest = page.split(BEGIN)
        _, after = rest.split(END)
        Path(path).write_text(before + BEGIN + table(results) + END + after)


def table(results: dict[tuple[str, str], tuple[str, str]]) -> str:
    rows = list(dict.fromkeys(row for row, _ in results))
    names = list(dict.fromkeys(name for _, name in results))
    absent = {
        name
        for name in names
        if all(results.get((row, name), ("skipped",))[0] == "skipped" for row in rows)
    }
    heads = [name if name in absent else f"{name} {version_of(name)}" for name in names]
    lines = ["", f"| | {' | '.join(heads)} |", "| --- |" + " :---: |" * len(names)]
    whys: dict[str, int] = {}
    for row in rows:
        cells = []
        for name in names:
            outcome, why = results.get((row, name), ("skipped", "not run"))
            note = f" ({whys.setdefault(why, len(whys) + 1)})" if why else ""
            cells.append(MARKS[outcome] + note)
        lines.append(f"| {row} | {' | '.join(cells)} |")
    notes = [f"{number}. {why}" for why, number in whys.items()]
    return "\n".join([*lines, "", *notes, "", ""] if notes else [*lines, "", ""])
