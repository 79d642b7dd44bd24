"""Who gives up, closes and hangs up, and when it is tried again: each rule by itself."""

from typing import Any

import pytest

from roomcall.peer import negotiation as n
from roomcall.peer.negotiation import Phase
from tests.library.negotiations import (
    HIGH,
    LOW,
    ask,
    candidate,
    closing,
    connected,
    connecting,
    described,
    hung_up,
    offering,
    retrying,
    sdp,
    waiting,
)


@pytest.mark.parametrize("make", [waiting, offering, connecting, connected, closing])
def test_a_hangup_ends_it_and_the_other_side_is_to_offer(make: Any) -> None:
    negotiation = make()
    drop, report, timer = ask(negotiation, "hangup", {"reason": "failed"})
    assert (drop, timer) == (n.Drop(), n.SetTimer(n.RETRY_PATIENCE))
    assert isinstance(report, n.Report) and report.state == "failed"
    assert negotiation.phase is Phase.HUNG_UP
    assert ask(negotiation, "hangup", {"reason": "failed"}) == negotiation.failed("no path") == []
    assert negotiation.timer("z")[0] == n.Offer("z")  # it did not: both may wait for the other


@pytest.mark.parametrize(
    ("payload", "reason"),
    [({"reason": "no-media"}, "no-media"), ({}, "hung up"), ({"reason": 7}, "hung up")],
)
def test_a_hangup_for_another_reason_is_no_failure(payload: Any, reason: str) -> None:
    effects = ask(connected(), "hangup", payload)
    assert effects == [n.Drop(), n.Report("closed", reason), n.SetTimer(None)]


def test_a_hangup_of_another_connection_is_dropped() -> None:
    assert ask(connected(), "hangup", {"callId": "w", "reason": "failed"}) == []


def test_where_both_give_up_neither_waits_for_the_other() -> None:
    negotiation = retrying()
    assert ask(negotiation, "hangup", {"callId": "x", "reason": "failed"}) == []
    assert negotiation.timer("again")[0] == n.Offer("again")


@pytest.mark.parametrize("make", [offering, connecting, closing])
def test_when_patience_ends_it_is_given_up(make: Any) -> None:
    negotiation = make()
    call_id = negotiation.call_id
    drop, hangup, report, timer = negotiation.timer("unused")
    assert drop == n.Drop()
    assert hangup == n.Send("hangup", {"reason": "failed", "callId": call_id})
    assert isinstance(report, n.Report) and report.state == "failed"
    assert timer == n.SetTimer(n.RETRY_DELAYS[0])
    assert negotiation.timer("again") == [n.Offer("again"), n.SetTimer(n.CONNECT_PATIENCE)]


def test_each_attempt_waits_longer_until_one_succeeds() -> None:
    negotiation = offering()
    delays = []
    for number in range(len(n.RETRY_DELAYS) + 2):
        delays.append(negotiation.failed("no path")[-1])
        negotiation.timer(f"try {number}")
    expected = [*n.RETRY_DELAYS, n.RETRY_DELAYS[-1], n.RETRY_DELAYS[-1]]
    assert delays == [n.SetTimer(seconds) for seconds in expected]
    ask(negotiation, "answer", described("THEM"))
    negotiation.connected()
    assert negotiation.failed("lost")[-1] == n.SetTimer(n.RETRY_DELAYS[0])


def test_what_the_other_side_closed_may_be_a_leave() -> None:
    negotiation = connected()
    assert negotiation.closed_remotely() == [n.SetTimer(n.CLOSE_PATIENCE)]
    assert negotiation.closed_remotely() == []
    assert negotiation.timer("unused")[0] == n.Drop()


@pytest.mark.parametrize("make", [waiting, offering, connecting, retrying, hung_up])
def test_only_a_connection_can_be_closed_by_the_other_side(make: Any) -> None:
    assert make().closed_remotely() == []


@pytest.mark.parametrize("make", [waiting, connected, closing, retrying, hung_up])
def test_only_a_path_in_the_making_can_become_connected(make: Any) -> None:
    negotiation = make()
    phase = negotiation.phase
    assert negotiation.connected() == []
    assert negotiation.phase is phase


def test_nothing_of_an_old_connection_holds_for_a_new_one() -> None:
    negotiation = offering(HIGH, LOW)
    ask(negotiation, "offer", described("THEM", "theirs"))  # ignored
    ask(negotiation, "ice-candidate", candidate(text="of the old one"))
    negotiation.offer("second")
    assert ask(negotiation, "answer", described("THEM", "second")) == [n.Accept(sdp("THEM"))]
