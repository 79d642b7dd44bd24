"""A verdict for the machines of a CI: JUnit XML, and what GitHub Actions shows."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from roomcall.checking.verdict import CHECKS, Verdict, failed_text
from roomcall.expectations import Pair

from ..output import unwritable_file
from .telling import last_line

_MARKS = {True: "✅", False: "❌", None: "➖"}


def write_junit(verdict: Verdict, path: Path) -> None:
    """A case for each pair and what is expected of it, and for each peer that has failed. Raises
    `click.UsageError`."""
    suite = TestSuite("roomcall check")
    for case in cases(verdict):
        suite.add_testcase(case)
    xml = JUnitXml("roomcall")
    xml.add_testsuite(suite)
    try:
        xml.write(str(path), pretty=True)
    except OSError as error:
        raise unwritable_file(path, error) from None


def cases(verdict: Verdict) -> Iterator[TestCase]:
    for failure in verdict.failures:
        if failure.to is None:
            yield _case(failure.who, failure.step, str(failure))
    for pair in verdict.pairs:
        who = f"{pair.sender} → {pair.receiver}"
        for check in CHECKS:
            if check.metric is None:  # else it is what is expected that can fail
                yield _case(who, check.text, *_of_check(verdict, pair, check.steps))
        for outcome in verdict.outcomes:
            # Over all pairs together it may fail where none does alone.
            concerned = not outcome.pairs or (pair.sender, pair.receiver) in outcome.pairs
            failed = None if outcome.ok or not concerned else failed_text(outcome)
            skipped = verdict.saturated if failed and verdict.ok is None else None
            yield _case(who, outcome.expectation.text, failed, skipped)


def _of_check(
    verdict: Verdict, pair: Pair, steps: tuple[str, ...]
) -> tuple[str | None, str | None]:
    """What has failed of a pair at these steps; why they were not reached."""
    for failure in verdict.failures:
        same = (failure.who, failure.to) == (pair.sender, pair.receiver)
        if same or (failure.both and (failure.to, failure.who) == (pair.sender, pair.receiver)):
            if failure.step in steps:
                return str(failure), verdict.saturated if verdict.ok is None else None
            if failure.comes_before(steps):
                return None, f"not reached: {failure}"
    return None, None if verdict.complete else "it was broken off"


def _case(who: str, name: str, failed: str | None, skipped: str | None = None) -> TestCase:
    case = TestCase(name, classname=who)
    if skipped is not None:
        case.result = [Skipped(skipped)]
    elif failed is not None:
        case.result = [Failure(failed)]
    return case


def tell_github(verdict: Verdict, environment: Mapping[str, str] = os.environ) -> None:
    """Annotations and the summary of the step, where GitHub Actions runs it."""
    if environment.get("GITHUB_ACTIONS") == "true":
        kind = "error" if verdict.ok is False else "warning"
        for text in verdict.texts():
            # Its commands are read from stderr as well; stdout is the result's.
            click.echo(f"::{kind} title=roomcall check::{_escaped(text)}", file=sys.stderr)
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(summary_of(verdict))
        except OSError as error:
            raise unwritable_file(Path(summary), error) from None


def summary_of(verdict: Verdict) -> str:
    """In Markdown."""
    lines = [f"### {_MARKS[verdict.ok]} roomcall check: {last_line(verdict).plain}", ""]
    lines += ["| | | |", "|---|---|---|"]
    for check in verdict.checks:
        lines.append(f"| {_MARKS[check.ok]} | {check.text} | {check.figure} |")
    for outcome in verdict.outcomes:
        measured = "not measured" if outcome.measured is None else f"{outcome.measured:.4g}"
        lines.append(f"| {_MARKS[outcome.ok]} | `{outcome.expectation.text}` | {measured} |")
    lines += ["", *(f"- {_cell(text)}" for text in verdict.texts()), ""]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _escaped(text: str) -> str:
    """Of a workflow command's message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
