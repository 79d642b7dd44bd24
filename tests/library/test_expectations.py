"""What is expected of a call: how it is written, and when it holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.expectations import Expectation, ExpectationError, Pair, aggregate, judge

parse = Expectation.parse


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("framesPerSecond.min>=20", ("framesPerSecond", "min", ">=", 20.0)),
        ("latency.p95<0.4", ("latency", "p95", "<", 0.4)),
        ("loss<1%", ("loss", None, "<", 0.01)),
        (" setup.max < 300ms ", ("setup", "max", "<", 0.3)),
        ("freezes==0", ("freezes", None, "==", 0.0)),
        ("connected==1", ("connected", None, "==", 1.0)),
        ("avOffset>=-.05", ("avOffset", None, ">=", -0.05)),
    ],
)
def test_how_it_is_written(text: str, parts: tuple[Any, ...]) -> None:
    found = parse(text)
    assert (found.metric, found.aggregate, found.operator, found.value) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no METRIC OP VALUE"),
        ("fps>=20", "fps: unknown — there are connected, setup"),
        ("loss.mean<1", "loss.mean: there are min"),
        ("loss=<1", "no METRIC OP VALUE"),
        ("loss<", "no METRIC OP VALUE"),
        ("loss<one", "no METRIC OP VALUE"),
        ("loss<1kg", "no METRIC OP VALUE"),
    ],
)
def test_what_cannot_be(text: str, reason: str) -> None:
    with pytest.raises(ExpectationError, match=reason):
        parse(text)


ANN = Pair("ann", "bob", {"loss": 0.0, "connected": True, "setup": 0.2, "latency": None})
BOB = Pair("bob", "ann", {"loss": 0.03, "connected": False, "setup": None, "latency": None})


def test_without_an_aggregate_every_pair_has_to_hold_it() -> None:
    outcome = judge(parse("loss<1%"), [ANN, BOB])
    assert (outcome.ok, outcome.measured, outcome.pairs) == (False, 0.03, (("bob", "ann"),))
    assert judge(parse("loss<4%"), [ANN, BOB]).measured == 0.03
    assert judge(parse("connected==1"), [ANN]).ok
    assert not judge(parse("connected==1"), [ANN, BOB]).ok


def test_what_was_not_measured_fails() -> None:
    for text in ("setup<1", "latency<1", "latency.max<1"):
        outcome = judge(parse(text), [ANN, BOB])
        assert (outcome.ok, outcome.measured) == (False, None)
    assert not judge(parse("loss<1"), []).ok
    assert not judge(parse("loss.max<1"), []).ok


def test_an_aggregate_is_taken_over_the_samples_of_all_pairs() -> None:
    pairs = [
        Pair("ann", "bob", {"setup": 0.2}, [{"framesPerSecond": fps} for fps in (14, 15, None)]),
        Pair("bob", "ann", {"setup": 0.4}, [{"framesPerSecond": fps} for fps in (9, 15, 16)]),
    ]
    assert judge(parse("framesPerSecond.min>=10"), pairs).measured == 9
    assert judge(parse("framesPerSecond.max<=16"), pairs).ok
    assert judge(parse("framesPerSecond.p50==15"), pairs).ok
    assert judge(parse("setup.max<1"), pairs).measured == 0.4


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.sampled_from(["p50", "p95"]))
def test_a_percentile_is_one_of_the_values_and_has_its_share_below(
    values: list[float], name: str
) -> None:
    ordered = sorted(values)
    found = aggregate(ordered, name)
    assert found in values
    share = sum(value <= found for value in values) / len(values)
    assert share >= int(name[1:]) / 100
    assert aggregate(ordered, "min") <= found <= aggregate(ordered, "max")
