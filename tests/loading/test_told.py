"""The ledger of those who talk over servers that die: it excuses what was told, nothing else."""

import pytest

from benchmarks.told import Ledger


def talked(count: int, *, got: list[int]) -> Ledger:
    """1 has said so much to 2, who got this of it."""
    ledger = Ledger()
    for _ in range(count):
        ledger.send(1, 2)
    for number in got:
        ledger.receive(1, 2, number)
    return ledger


def test_all_has_come() -> None:
    ledger = talked(4, got=[1, 2, 3, 4])
    assert (ledger.lost(), ledger.disordered, ledger.received) == ((0, 0), 0, 4)


@pytest.mark.parametrize("got", [[1, 2, 2], [2, 1], [1, 5]])
def test_doubled_or_out_of_order_or_never_said(got: list[int]) -> None:
    assert talked(4, got=got).disordered == 1


@pytest.mark.parametrize("got", [[1, 2], [1, 4], [3, 4], []])
def test_a_silent_loss(got: list[int]) -> None:
    assert talked(4, got=got).lost() == (0, 4 - len(got))


def test_a_gap_of_the_receiver_excuses_what_comes_right_after_its_last() -> None:
    ledger = talked(6, got=[1, 2])
    ledger.break_off(2, [])
    ledger.tell_of_gap(2)
    ledger.receive(1, 2, 4)
    ledger.receive(1, 2, 6)
    assert ledger.lost() == (1, 1)


def test_a_gap_of_the_sender_excuses_what_it_said_last_before() -> None:
    ledger = talked(6, got=[1, 2])
    ledger.break_off(1, [(2, 5), (2, 6)])  # these come after the break, and have to arrive
    ledger.tell_of_gap(1)
    assert ledger.lost() == (0, 4)
    ledger.receive(1, 2, 5)
    assert ledger.lost() == (2, 1)


def test_a_break_without_a_gap_excuses_nothing() -> None:
    ledger = talked(4, got=[1])
    ledger.break_off(1, [])
    ledger.break_off(2, [])
    assert ledger.lost() == (0, 3)


def test_what_was_refused_was_told() -> None:
    ledger = talked(4, got=[1, 4])
    ledger.refuse(1, 2, 2)
    assert ledger.lost() == (1, 1)


def test_one_order_of_chat() -> None:
    ledger = Ledger()
    for at in (1, 2):
        ledger.receive_chat(0, at, 1, 1, 1)
    assert ledger.disordered == 0
    ledger.receive_chat(0, 1, 1, 3, 3)
    ledger.receive_chat(0, 2, 1, 2, 3)
    ledger.receive_chat(0, 1, 1, 2, 2)
    assert ledger.disordered == 2


def test_chat_that_is_left_out() -> None:
    ledger = Ledger()
    for at in (1, 2):
        ledger.receive_chat(0, at, 1, 1, 1)
    ledger.receive_chat(0, 1, 1, 2, 2)
    assert ledger.lost() == (0, 1)
    ledger.break_off(2, [])
    ledger.tell_of_gap(2)
    assert ledger.lost() == (1, 0)
    ledger.receive_chat(0, 1, 1, 5, 5)
    ledger.receive_chat(0, 2, 1, 5, 5)
    assert ledger.lost() == (3, 2)
