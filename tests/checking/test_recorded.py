"""The verdict on calls that were recorded: each of the faults has its own cause, a clean call none.

`python -m benchmarks.verdicts --record tests/checking/recorded` makes them anew.
"""

import gzip
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import CLEAN, FAULTS, Fault
from benchmarks.perturbed import LENIENT, verdicts
from roomcall.checking.runs import Run
from roomcall.checking.verdict import Verdict, judge_call
from roomcall.expectations import Expectation
from roomcall_cli.checking.bundle import run_of

FOLDER = Path(__file__).parent / "recorded"


@cache
def recorded(name: str) -> Any:
    return json.loads(gzip.decompress((FOLDER / f"{name.replace(' ', '-')}.json.gz").read_bytes()))


def runs_of(record: Any) -> list[Run]:
    events = record["events"]
    return [run_of(peer, events[peer["name"]]) for peer in record["about"]["peers"]]


def verdict_on(record: Any, expect: Iterable[Expectation] | None = None) -> Verdict:
    about = record["about"]
    asked = map(Expectation.parse, about["asked"]["expect"]) if expect is None else expect
    return judge_call(
        runs_of(record),
        expectations=list(asked),
        others=about["others"],
        missing=about["missing"],
        complete=about["complete"],
    )


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_has_its_own_cause(fault: Fault) -> None:
    verdict = verdict_on(recorded(fault.name))
    assert (verdict.ok, verdict.code) == (False, fault.code)
    assert any(fault.told in text for text in verdict.texts())
    # And no other fault's cause.
    others = {other.told for other in FAULTS} - {fault.told}
    assert not [text for text in verdict.texts() if any(other in text for other in others)]
    assert all(" — " in text for text in verdict.texts())


def test_a_clean_call_has_none() -> None:
    verdict = verdict_on(recorded(CLEAN.name), LENIENT)
    assert (verdict.ok, verdict.code, verdict.texts()) == (True, 0, [])
    assert [check.ok for check in verdict.checks] == [True] * len(verdict.checks)
    assert len(verdict.pairs) == 6
    for pair in verdict.pairs:
        assert pair.whole["latency"] == pytest.approx(0.08, abs=0.06)
        assert pair.whole["avOffset"] == pytest.approx(0, abs=0.02)
        assert pair.whole["framesPerSecond"] == pytest.approx(15, abs=2)
        assert (pair.whole["loss"], pair.whole["freezes"]) == (0, 0)


def test_clean_calls_that_differ_a_little_have_none() -> None:
    """`python -m benchmarks.verdicts` does it ten thousand times."""
    for number, verdict in enumerate(verdicts(recorded(CLEAN.name), 1000)):
        assert verdict.ok and verdict.code == 0, (number, verdict.texts(), verdict.saturated)
