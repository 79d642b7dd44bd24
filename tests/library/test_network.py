"""What a bad network does to packets, and how it is written down."""

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.network.conditions import Conditions, Network, NetworkError, network
from roomcall.network.pipe import MAX_WAIT, REORDERED_BY, Pipe


def test_all_that_can_be_written() -> None:
    text = (
        "delay=80ms,jitter=20ms,loss=2%,burst=3,reorder=1%,duplicate=0.5%,"
        "rate=2mbit,cut=5s+10s,cut=30+1500ms,seed=7"
    )
    same = Conditions(
        delay=0.08,
        jitter=0.02,
        loss=0.02,
        burst=3,
        reorder=0.01,
        duplicate=0.005,
        rate=2e6,
        cuts=((5, 10), (30, 1.5)),
    )
    assert Network.parse(text) == Network(same, same, 7)


def test_a_direction_of_its_own() -> None:
    found = Network.parse("loss=1%,send.loss=5%, recv.delay=0.1")
    assert found.send == Conditions(loss=0.05)
    assert found.recv == Conditions(loss=0.01, delay=0.1)
    assert Network.parse("") == Network()


def test_the_same_from_a_program() -> None:
    assert network(loss=0.05, delay=0.08, seed=7) == Network.parse("loss=5%,delay=80ms,seed=7")
    assert network(loss=0.05, recv={"loss": 0}) == Network.parse("send.loss=5%")
    assert network(cut=(5, 10)) == Network.parse("cut=5s+10s")
    assert network(cut=[(5, 10), (30, 1)]) == Network.parse("cut=5+10,cut=30+1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("loss", "'loss' is no NAME=VALUE"),
        ("loss=", "'loss=' is no NAME=VALUE"),
        ("lose=2%", "lose: unknown — there are delay, jitter, loss"),
        ("up.loss=2%", "up: is neither send nor recv"),
        ("loss=2ms", "loss=2ms: no number with a unit of %"),
        ("delay=fast", "delay=fast: no number with a unit of ms, s"),
        ("delay=-80ms", "delay=-80ms: no number"),
        ("loss=200%", "loss: 2 is no share"),
        ("burst=0", "burst: at least 1"),
        ("cut=5s", "cut=5s: when and for how long"),
        ("cut=5s+0", "cut: from when"),
        ("seed=x", "seed=x: a whole number"),
        ("send.seed=1", "seed: unknown"),
    ],
)
def test_what_cannot_be(text: str, reason: str) -> None:
    with pytest.raises(NetworkError, match=reason):
        Network.parse(text)


@pytest.mark.parametrize("settings", [{"lost": 0.1}, {"loss": 2}, {"cut": (1, -1)}])
def test_what_cannot_be_from_a_program(settings: dict[str, Any]) -> None:
    with pytest.raises(NetworkError):
        network(**settings)


def fates(conditions: Conditions, count: int, seed: int = 1, every: float = 0.02) -> list[Any]:
    pipe = Pipe(conditions, seed, "send")
    return [pipe.enter(1000, number * every) for number in range(count)]


ANY = st.builds(
    Conditions,
    delay=st.floats(0, 0.2),
    jitter=st.floats(0, 0.1),
    loss=st.floats(0, 1),
    burst=st.floats(1, 10),
    reorder=st.floats(0, 1),
    duplicate=st.floats(0, 1),
    rate=st.sampled_from([0.0, 1e5, 1e6]),
)


@given(ANY, st.integers(0, 5))
def test_the_fate_of_the_nth_is_always_the_same(conditions: Conditions, seed: int) -> None:
    first, again = fates(conditions, 50, seed), fates(conditions, 50, seed)
    assert first == again


@given(ANY)
def test_nothing_comes_before_it_was_sent_and_order_is_kept(conditions: Conditions) -> None:
    outs = fates(conditions, 200)
    for number, out in enumerate(outs):
        assert all(time >= number * 0.02 for time in out)
        assert len(out) <= 2
    if not conditions.reorder:
        times = [out[0] for out in outs if out]
        assert times == sorted(times)


def test_chance_depends_on_seed_and_direction() -> None:
    some = Conditions(loss=0.3)
    assert fates(some, 100, seed=1) != fates(some, 100, seed=2)
    pipes = [Pipe(some, 1, direction) for direction in ("send", "recv")]
    one, other = ([bool(pipe.enter(10, 0.0)) for _ in range(100)] for pipe in pipes)
    assert one != other


def test_one_kind_of_trouble_does_not_change_the_fate_by_another() -> None:
    lost = [not out for out in fates(Conditions(loss=0.1), 500)]
    worse = Conditions(loss=0.1, delay=0.1, jitter=0.05, duplicate=0.1, reorder=0.1, rate=1e7)
    assert [not out for out in fates(worse, 500)] == lost


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("burst", [1, 3, 8])
def test_losses_have_their_share_and_their_length(loss: float, burst: float) -> None:
    lost = [not out for out in fates(Conditions(loss=loss, burst=burst), 100_000)]
    assert sum(lost) / len(lost) == pytest.approx(loss, rel=0.2)
    runs = [len(list(run)) for was_lost, run in groupby(lost) if was_lost]
    expected = max(burst, 1 / (1 - loss))
    assert sum(runs) / len(runs) == pytest.approx(expected, rel=0.1)


def test_nothing_passes_where_all_is_lost() -> None:
    assert not any(fates(Conditions(loss=1), 100))


def test_delay_and_jitter() -> None:
    outs = fates(Conditions(delay=0.08, jitter=0.02), 1000)
    late = [out[0] - number * 0.02 for number, out in enumerate(outs)]
    assert 0.06 <= min(late) < 0.065 and 0.095 < max(late) <= 0.12


def test_some_are_overtaken_and_some_come_twice() -> None:
    outs = fates(Conditions(reorder=0.1, duplicate=0.2), 2000, every=0.01)
    assert sum(len(out) == 2 for out in outs) == pytest.approx(400, rel=0.15)
    late = [out[0] - number * 0.01 for number, out in enumerate(outs)]
    assert sum(x > 0.001 for x in late) == pytest.approx(200, rel=0.2)
    assert max(late) == pytest.approx(REORDERED_BY)


def test_a_rate_makes_packets_wait_and_then_drops_them() -> None:
    pipe = Pipe(Conditions(rate=1e6), 0, "send")
    outs = [pipe.enter(1250, 0.0) for _ in range(100)]  # 10 ms each, all at once
    passed = [out[0] for out in outs if out]
    assert passed == pytest.approx([0.01 * (number + 1) for number in range(len(passed))])
    assert max(passed) == pytest.approx(MAX_WAIT + 0.01, abs=0.011)
    assert pipe.lost == 100 - len(passed)
    assert pipe.enter(1250, 10.0) == [pytest.approx(10.01)]


def test_a_cut_lets_nothing_through_and_takes_what_is_on_its_way() -> None:
    outs = fates(Conditions(delay=0.1, cuts=((1.0, 2.0),)), 250)
    passed = [number * 0.02 for number, out in enumerate(outs) if out]
    assert not [time for time in passed if 0.92 < time < 2.99]
    assert len(passed) == pytest.approx(250 - 105, abs=2)
