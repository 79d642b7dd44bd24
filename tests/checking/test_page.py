"""The page of a check: what is in it, and what is not."""

import gzip
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.checking.verdict import judge_call
from roomcall.expectations import Expectation
from roomcall_cli.checking.bundle import Recorded, run_of
from roomcall_cli.checking.page import page_of
from roomcall_cli.checking.plots import Series, plot

FOLDER = Path(__file__).parent / "recorded"


def recorded(name: str) -> Recorded:
    record: Any = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    about, events = record["about"], record["events"]
    runs = [run_of(peer, events[peer["name"]]) for peer in about["peers"]]
    expectations = [Expectation.parse(text) for text in about["asked"]["expect"]]
    verdict = judge_call(runs, expectations=expectations, others=about["others"])
    about |= {"verdict": verdict.to_dict(), "versions": {"roomcall": "1"}, "machine": {}}
    return Recorded(runs, about, events, {})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing-wrong", "✓ Yes: the call is as it should be"),
        ("black-picture", "app → ann: picture: it is black"),
        ("10-%-loss", "loss&lt;1%: it is 0."),
        ("wrong-certificate", "is not trusted"),
        ("blocked-UDP", "ICE: no media path was found in time"),
    ],
)
def test_it_says_what_is_wrong_and_asks_nobody_for_anything(name: str, said: str) -> None:
    page = page_of(recorded(name))
    assert said in page
    assert not re.search(r"<script|<link|@import|url\(|(?:src|href)=\"(?!data:)", page)
    assert page.count("<svg") >= 6 if name == "nothing-wrong" else True


def test_what_others_call_themselves_is_text() -> None:
    found = recorded("nothing-wrong")
    for event in found.events["ann"]:
        if "name" in event:
            event["name"] = "<script>alert(1)</script>"  # type: ignore[index]
    page = page_of(found)
    assert "<script" not in page and "&lt;script&gt;" in page


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(-1e6, 1e6)), max_size=20),
        max_size=9,
    )
)
def test_whatever_was_measured_can_be_drawn(lines: list[list[tuple[float, float | None]]]) -> None:
    series = [
        Series(f"<{number}>", sorted(points, key=lambda p: p[0]))
        for number, points in enumerate(lines)
    ]
    drawn = ElementTree.fromstring(plot(series, begin=0, end=100, least=1))
    assert len(drawn.findall("path[@class!='grid']")) == len(lines)
    for path in drawn.findall("path"):
        numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path.get("d") or "")]
        assert all(-1 <= number <= 561 for number in numbers)
    assert len(drawn.findall("text")) <= 20
