"""What a load counts, and what it makes of that. Pure."""

from typing import Any

import pytest

from roomcall.expectations import Expectation, ExpectationError
from roomcall.loading.latencies import Latencies
from roomcall.loading.ledger import Ledger
from roomcall.loading.result import MEDIA_COUNTS, METRICS, Result, judge
from roomcall.loading.server import over_the_run, read


def test_the_command_knows_the_metrics() -> None:
    from roomcall_cli.commands import load

    assert load.METRICS == METRICS


def ledger() -> Ledger:
    """Clients 0 and 2 are in room 0, client 1 in room 1."""
    return Ledger([0, 1, 0])


def counts(ledger: Ledger) -> tuple[int, int, int, int]:
    return ledger.lost(set()), ledger.doubled, ledger.misdelivered, ledger.disordered


def test_all_in_order() -> None:
    book = ledger()
    for _ in range(3):
        number = book.send_signal(0, 2)
        book.receive_signal(2, 0, 0, 2, number)
    number = book.send_chat(2, set())
    for at in (0, 2):
        book.receive_chat(at, 0, 2, number, 1)
    assert counts(book) == (0, 0, 0, 0)
    assert (book.sent, book.expected, book.received) == (4, 5, 5)


def test_lost_doubled_late_and_at_the_wrong_one() -> None:
    book = ledger()
    for _ in range(4):
        book.send_signal(0, 2)
    book.receive_signal(2, 0, 0, 2, 3)
    assert counts(book) == (3, 0, 0, 0)
    book.receive_signal(2, 0, 0, 2, 1)
    assert counts(book) == (2, 0, 0, 1)
    book.receive_signal(2, 0, 0, 2, 3)
    assert counts(book) == (2, 1, 0, 1)
    book.receive_signal(1, 1, 0, 2, 4)  # it was for another client
    book.receive_signal(2, 1, 0, 2, 4)  # and in another room
    assert counts(book) == (2, 1, 2, 1)
    assert book.lost({2}) == 0


def test_chat_has_one_order_for_all() -> None:
    book = ledger()
    first, second = book.send_chat(0, set()), book.send_chat(2, set())
    book.receive_chat(0, 0, 0, first, 1)
    book.receive_chat(0, 0, 2, second, 2)
    book.receive_chat(2, 0, 2, second, 1)  # which was the other one's
    book.receive_chat(2, 0, 0, first, 2)
    assert counts(book) == (0, 0, 0, 2)
    book.receive_chat(1, 0, 0, first, 1)
    assert book.misdelivered == 1
    third = book.send_chat(0, {2})  # who has failed is not waited for
    book.receive_chat(0, 0, 0, third, 4)
    assert counts(book) == (0, 0, 1, 3)


def test_percentiles() -> None:
    times = Latencies()
    assert times.figure("p95") is None
    for n in range(1, 1001):
        times.add(n / 1000)
    assert times.figure("p50") == pytest.approx(0.5, rel=0.01)
    assert times.figure("p99") == pytest.approx(0.99, rel=0.01)
    assert (times.figure("min"), times.figure("max")) == (0.001, 1.0)


def result(**changes: Any) -> Result:
    made = Result(4, 2, planned=100, sent=100, complete=True)
    made.times["signal"].add(0.01)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def expect(text: str) -> Expectation:
    return Expectation.parse(text, METRICS)


def test_verdicts() -> None:
    late = [{"loopLag": 0.5}] * 5
    assert judge(result(), [expect("signal.p95<50ms"), expect("lost==0")]).ok is True
    assert judge(result(), [expect("signal<1ms")]).ok is False
    assert judge(result(), [expect("chat.p95<1")]).ok is False  # nothing was measured
    assert judge(result(failures=["after 1 s, client 1: gone"]), []).ok is False
    assert judge(result(complete=False), [expect("chat.p95<1")]).ok is None
    assert judge(result(complete=False), [expect("signal<1ms")]).ok is False
    assert judge(result(failures=["gone"], loads=late), []).ok is None
    assert judge(result(sent=90), []).ok is None
    doubled = result(loads=late)
    doubled.counts["doubled"] = 1
    assert judge(doubled, []).ok is False
    with pytest.raises(ExpectationError, match="signal"):
        expect("framesPerSecond>1")


def test_verdicts_on_media() -> None:
    all_well = dict.fromkeys(MEDIA_COUNTS, 0) | {"connected": 6, "receiving": 3}
    for changes, ok in (({}, True), ({"unconnected": 1}, False), ({"silent": 2}, False)):
        made = result()
        made.counts |= all_well | changes
        assert judge(made, []).ok is ok
        made.loads = [{"loopLag": 0.5}] * 5  # this machine may be to blame
        assert judge(made, []).ok is None
    assert judge(result(), [expect("silent==0")]).ok is False  # nothing was measured
    assert judge(result(), [expect("setup.p95<1")]).ok is False


def test_what_the_server_says() -> None:
    page = """# TYPE roomcall_messages_sent_total counter
roomcall_messages_sent_total{type="chat"} %d
roomcall_messages_sent_total{type="offer"} 2
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5
"""
    before, after = read(page % 1), read(page % 5)
    assert after["roomcall_messages_sent_total"] == 7
    assert over_the_run(before, after)["messagesSent"] == 4
    assert over_the_run({}, {}) == {}
