"""Who is who after the server has forgotten everybody."""

from hypothesis import given
from hypothesis import strategies as st

from roomcall.peer.renaming import (
    HOLD,
    LOST_AFTER,
    PATIENCE,
    Newcomer,
    Renamed,
    Renaming,
    Same,
    StrayLost,
)


def restarted(*strays: str) -> Renaming:
    renaming = Renaming()
    renaming.restart(strays, 0.0)
    return renaming


def test_who_comes_where_nobody_is_sought_is_new() -> None:
    assert Renaming().came("x", 0.0) == [Newcomer("x")]


def test_with_nobody_connected_it_is_told_at_once() -> None:
    assert Renaming().restart([], 0.0) == [Renamed({})]


def test_who_has_told_its_new_id_is_known_when_it_comes() -> None:
    renaming = Renaming()
    assert renaming.told("a", "A") == []  # before we were back ourselves
    assert renaming.restart(["a", "b"], 0.0) == []
    assert renaming.came("A", 0.1) == [Same("a", "A")]
    assert renaming.came("B", 0.2) == []
    assert renaming.told("b", "B") == [Same("b", "B"), Renamed({"a": "A", "b": "B"})]
    assert not renaming.busy


def test_who_does_not_say_who_it_is_is_new_after_a_while() -> None:
    renaming = restarted("a")
    assert renaming.came("X", 1.0) == []
    assert renaming.tick(1.0 + HOLD - 0.1, []) == []
    assert renaming.tick(1.0 + HOLD, []) == [Newcomer("X")]
    assert renaming.told("a", "A") == []
    assert renaming.came("Y", 4.0) == [Newcomer("Y")]  # all strays have said who they are
    assert renaming.came("A", 4.5) == [Same("a", "A"), Renamed({"a": "A"})]


def test_who_says_late_who_it_is_is_known_all_the_same() -> None:
    renaming = restarted("a")
    renaming.came("A", 0.0)
    assert renaming.tick(HOLD, []) == [Newcomer("A")]
    assert renaming.told("a", "A") == [Same("a", "A"), Renamed({"a": "A"})]


def test_where_the_last_stray_is_known_everybody_else_is_new() -> None:
    renaming = restarted("a")
    renaming.came("X", 0.0)
    renaming.came("A", 0.1)
    assert renaming.told("a", "A") == [Same("a", "A"), Renamed({"a": "A"}), Newcomer("X")]


def test_it_is_told_in_time_and_again_for_those_who_are_late() -> None:
    renaming = restarted("a", "b")
    renaming.told("a", "A")
    assert renaming.came("A", 0.1) == [Same("a", "A")]
    assert renaming.tick(PATIENCE - 0.1, []) == []
    assert renaming.tick(PATIENCE, []) == [Renamed({"a": "A"})]
    renaming.told("b", "B")
    assert renaming.came("B", 9.0) == [Same("b", "B"), Renamed({"b": "B"})]


def test_who_stays_away_is_lost_when_its_path_is_dead() -> None:
    renaming = restarted("a", "b")
    renaming.tick(PATIENCE, [])
    assert renaming.tick(LOST_AFTER - 0.1, ["a"]) == []
    assert renaming.tick(LOST_AFTER, ["a", "x"]) == [StrayLost("a")]
    assert renaming.busy
    assert renaming.tick(LOST_AFTER + 100, ["b"]) == [StrayLost("b")]
    assert not renaming.busy


def test_who_has_left_again_is_nobody() -> None:
    renaming = restarted("a")
    renaming.came("X", 0.0)
    renaming.left("X")
    assert renaming.tick(HOLD, []) == []


@given(st.lists(st.tuples(st.sampled_from(["told", "came", "left", "tick"]), st.integers(0, 3))))
def test_everybody_is_known_or_new_exactly_once(steps: list[tuple[str, int]]) -> None:
    renaming = restarted("0", "1", "2")
    now, here, seen = 0.0, set(), []
    for step, number in steps:
        new = f"new {number}"
        match step:
            case "told" if number < 3:
                seen += renaming.told(str(number), new)
            case "came" if new not in here:
                here.add(new)
                seen += renaming.came(new, now)
            case "left":
                here.discard(new)
                renaming.left(new)
                seen = [e for e in seen if getattr(e, "new", getattr(e, "id", "")) != new]
            case "tick":
                now += 1.0
                seen += renaming.tick(now, [])
    seen += renaming.tick(now + HOLD, [])
    # Who was taken for new may turn out to be a stray; nobody is taken for either twice.
    for kind in (Newcomer, Same):
        ids = [getattr(e, "new", getattr(e, "id", "")) for e in seen if isinstance(e, kind)]
        assert len(ids) == len(set(ids))
    known = {e.new for e in seen if isinstance(e, Same)} | {
        e.id for e in seen if isinstance(e, Newcomer)
    }
    assert here == known
