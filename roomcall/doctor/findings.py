"""What a check finds, and what all findings come to. Pure.

Rule 1. A finding that failed says in one line what to do about it.
Rule 2. What was not asked for and is not there is no failure.
Rule 3. What a busy machine cannot do is no verdict: neither yes nor no.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Values = Mapping[str, Any]
_NOTHING: Values = {}


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"  # does not apply here, or was not asked for
    SATURATED = "saturated"  # too much else runs on this machine to tell


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `figure` is for people, `values` are the same as JSON values."""

    name: str
    status: Status
    figure: str
    advice: str
    values: Values


def ok(name: str, figure: str, advice: str = "", values: Values = _NOTHING) -> Finding:
    return Finding(name, Status.OK, figure, advice, values)


def failed(name: str, figure: str, advice: str, values: Values = _NOTHING) -> Finding:
    return Finding(name, Status.FAILED, figure, advice, values)


def skipped(name: str, figure: str, advice: str = "", values: Values = _NOTHING) -> Finding:
    return Finding(name, Status.SKIPPED, figure, advice, values)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ok` is None where there is none: the machine was saturated, or not all was asked."""

    ok: bool | None
    saturated: bool
    failures: list[str]


def judge(findings: Sequence[Finding], *, complete: bool = True) -> Verdict:
    """`complete`: every check was made."""
    failures = [f"{f.name}: {f.figure}" for f in findings if f.status is Status.FAILED]
    saturated = any(f.status is Status.SATURATED for f in findings)
    if failures:
        return Verdict(False, saturated, failures)
    return Verdict(True if complete and not saturated else None, saturated, failures)
