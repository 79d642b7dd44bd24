"""Who offers, answers and waits: each rule by itself."""

from typing import Any

import pytest

from roomcall.peer import negotiation as n
from roomcall.peer.effects import AnswerRestart
from roomcall.peer.negotiation import Negotiation, Phase
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


def test_the_later_joiner_offers() -> None:
    negotiation = Negotiation(LOW, HIGH, offers_first=True)
    assert negotiation.start("mine") == [n.Offer("mine"), n.SetTimer(n.CONNECT_PATIENCE)]
    assert (negotiation.phase, negotiation.call_id) == (Phase.OFFERING, "mine")


def test_the_earlier_one_waits_and_offers_only_when_patience_ends() -> None:
    negotiation = Negotiation(LOW, HIGH, offers_first=False)
    assert negotiation.start("unused") == [n.SetTimer(n.OFFER_PATIENCE)]
    assert negotiation.timer("late") == [n.Offer("late"), n.SetTimer(n.CONNECT_PATIENCE)]


@pytest.mark.parametrize("call_id", ["x", None])
def test_an_offer_is_answered_with_its_call_id(call_id: str | None) -> None:
    negotiation = waiting()
    assert ask(negotiation, "offer", described("THEM", call_id)) == [
        n.Answer(sdp("THEM"), call_id, replace=True),
        n.SetTimer(n.CONNECT_PATIENCE),
    ]
    assert (negotiation.phase, negotiation.call_id) == (Phase.CONNECTING, call_id)


@pytest.mark.parametrize("call_id", ["mine", None])
def test_an_answer_to_our_offer_is_taken_once(call_id: str | None) -> None:
    negotiation = offering()
    answer = described("THEM", call_id)
    assert ask(negotiation, "answer", answer) == [n.Accept(sdp("THEM"))]
    assert negotiation.phase is Phase.CONNECTING
    assert ask(negotiation, "answer", answer) == []
    assert negotiation.connected() == [n.SetTimer(None)]
    assert ask(negotiation, "answer", answer) == []


def test_an_answer_to_an_earlier_offer_is_dropped() -> None:
    negotiation = offering(call_id="first")
    negotiation.offer("second")
    assert ask(negotiation, "answer", described("THEM", "first")) == []
    assert ask(negotiation, "answer", described("THEM", "second")) == [n.Accept(sdp("THEM"))]


@pytest.mark.parametrize("make", [waiting, connecting, connected, closing, retrying, hung_up])
def test_an_answer_that_nobody_asked_for_is_dropped(make: Any) -> None:
    negotiation = make()
    phase = negotiation.phase
    assert ask(negotiation, "answer", described("THEM")) == []
    assert ask(negotiation, "answer", {}) == []
    assert negotiation.phase is phase


def test_an_answer_without_sdp_is_a_failure() -> None:
    drop, hangup, report, timer = ask(offering(), "answer", {"callId": "mine", "sdp": 7})
    assert drop == n.Drop()
    assert hangup == n.Send("hangup", {"reason": "failed", "callId": "mine"})
    assert isinstance(report, n.Report) and report.state == "failed"
    assert timer == n.SetTimer(n.RETRY_DELAYS[0])


# Glare


def test_of_two_offers_the_polite_side_drops_its_own() -> None:
    negotiation = offering(LOW, HIGH)
    effects = ask(negotiation, "offer", described("THEM", "theirs"))
    assert effects[0] == n.Answer(sdp("THEM"), "theirs", replace=True)
    assert negotiation.call_id == "theirs"
    assert ask(negotiation, "answer", described("THEM", "mine")) == []


def test_of_two_offers_the_impolite_side_ignores_the_others() -> None:
    negotiation = offering(HIGH, LOW)
    assert ask(negotiation, "offer", described("THEM", "theirs")) == []
    assert ask(negotiation, "ice-candidate", candidate("theirs")) == []
    assert ask(negotiation, "hangup", {"callId": "theirs", "reason": "failed"}) == []
    assert ask(negotiation, "answer", described("THEM", "mine")) == [n.Accept(sdp("THEM"))]
    assert ask(negotiation, "ice-candidate", candidate("theirs")) == []


def test_candidates_without_call_id_are_the_ignored_offers_until_the_answer() -> None:
    negotiation = offering(HIGH, LOW)
    ask(negotiation, "offer", described("THEM"))
    assert ask(negotiation, "ice-candidate", candidate(text="of the ignored")) == []
    assert ask(negotiation, "answer", described("THEM")) == [n.Accept(sdp("THEM"))]
    of_answer = candidate(text="of the answer")
    assert ask(negotiation, "ice-candidate", of_answer) == [n.AddCandidate(of_answer)]


@pytest.mark.parametrize("make", [offering, connecting])
def test_who_was_on_its_way_when_signals_were_lost_begins_anew(make: Any) -> None:
    negotiation = make()
    assert negotiation.signaling_back() == []  # held up, and here again
    effects = negotiation.signaling_back("new")
    assert effects == [n.Offer("new"), n.SetTimer(n.CONNECT_PATIENCE)]


@pytest.mark.parametrize("make", [waiting, connected, retrying, hung_up])
def test_lost_signals_are_no_matter_to_others(make: Any) -> None:
    assert make().signaling_back("new") == []


def test_ids_are_compared_as_bytes() -> None:
    # UTF-16, as JavaScript compares, has these two the other way round.
    assert Negotiation("\uff5e", "\U0001f600", True).polite
    assert not Negotiation("\U0001f600", "\uff5e", True).polite
    assert Negotiation("B", "a", True).polite


# Candidates


def test_early_candidates_wait_for_the_offer_in_their_order() -> None:
    negotiation = waiting()
    early = [candidate("x", text=f"c{number}") for number in range(3)]
    stranger = candidate("of another", text="c")
    for given in (early[0], stranger, *early[1:]):
        assert ask(negotiation, "ice-candidate", given) == []
    effects = ask(negotiation, "offer", described("THEM", "x"))
    assert effects[2:] == [n.AddCandidate(given) for given in early]
    assert ask(negotiation, "offer", described("THEM", "x")) == [
        n.Answer(sdp("THEM"), "x", replace=False),
        n.SetTimer(n.CONNECT_PATIENCE),
    ]


def test_early_candidates_wait_for_the_answer() -> None:
    negotiation = offering()
    given = candidate("mine", ufrag="new")
    old = candidate("mine", ufrag="old")
    assert ask(negotiation, "ice-candidate", given) == ask(negotiation, "ice-candidate", old) == []
    answer = described("THEM", "mine", ufrag="new")
    assert ask(negotiation, "answer", answer) == [n.Accept(answer["sdp"]), n.AddCandidate(given)]


def test_so_many_early_candidates_are_kept_and_no_more() -> None:
    negotiation = waiting()
    for number in range(n.MAX_EARLY_CANDIDATES + 10):
        ask(negotiation, "ice-candidate", candidate(text=f"c{number}"))
    effects = ask(negotiation, "offer", described("THEM"))
    added = [e.candidate["candidate"] for e in effects if isinstance(e, n.AddCandidate)]
    assert added == [f"c{number}" for number in range(n.MAX_EARLY_CANDIDATES)]


@pytest.mark.parametrize("make", [connecting, connected])
def test_only_candidates_of_this_connection_are_added(make: Any) -> None:
    negotiation = make()
    for given in (candidate(), candidate("x"), candidate("x", "u"), candidate(text="")):
        assert ask(negotiation, "ice-candidate", given) == [n.AddCandidate(given)]
    for stale in (candidate("w"), candidate("x", "old"), candidate(None, "old")):
        assert ask(negotiation, "ice-candidate", stale) == []


# New offers


@pytest.mark.parametrize(
    ("payload", "replace"),
    [
        (described("THEM", "x"), False),
        (described("THEM"), False),
        (described("them", "x"), False),  # fingerprints are hexadecimal: case means nothing
        (described("OTHER", "x"), True),
        (described("THEM", "y"), True),
        (described("OTHER"), True),
    ],
)
def test_another_fingerprint_or_call_id_replaces_the_connection(
    payload: dict[str, Any], replace: bool
) -> None:
    negotiation = connected()
    effects = ask(negotiation, "offer", payload)
    assert effects[0] == n.Answer(payload["sdp"], payload.get("callId"), replace)
    # Who stays connected has nothing to wait for.
    assert effects[1:] == ([n.SetTimer(n.CONNECT_PATIENCE)] if replace else [])
    assert negotiation.phase is (Phase.CONNECTING if replace else Phase.CONNECTED)


def test_after_an_ice_restart_only_candidates_of_the_new_credentials_count() -> None:
    negotiation = connected()
    effects = ask(negotiation, "offer", described("THEM", "x", ufrag="v"))
    assert effects[0] == AnswerRestart(sdp("THEM", "v"), "x")
    fresh = candidate("x", "v")
    assert ask(negotiation, "ice-candidate", fresh) == [n.AddCandidate(fresh)]
    assert ask(negotiation, "ice-candidate", candidate("x", "u")) == []


@pytest.mark.parametrize("make", [waiting, closing, retrying, hung_up])
def test_an_offer_is_welcome_where_there_is_no_connection(make: Any) -> None:
    effects = ask(make(), "offer", described("THEM", "y"))
    assert effects == [n.Answer(sdp("THEM"), "y", True), n.SetTimer(n.CONNECT_PATIENCE)]


@pytest.mark.parametrize("make", [waiting, retrying, hung_up])
def test_who_is_asked_to_renegotiate_offers_where_there_is_no_connection(make: Any) -> None:
    assert ask(make(), "renegotiate", {})[0] == n.Offer("fresh")


@pytest.mark.parametrize("make", [offering, connecting, closing])
def test_who_is_asked_to_renegotiate_keeps_the_connection_it_has(make: Any) -> None:
    assert ask(make(), "renegotiate", {}) == []


def test_another_fingerprint_in_an_answer_to_a_restart_has_us_offer_anew() -> None:
    negotiation = connected()
    negotiation.reconnect("unused")
    effects = ask(negotiation, "answer", described("ANOTHER", "x", "v"))
    assert effects == [n.Offer("fresh"), n.SetTimer(n.CONNECT_PATIENCE)]
    assert negotiation.call_id == "fresh"


def bundle(mids: str, ufrag: str = "u") -> dict[str, Any]:
    lines = "".join(f"a=mid:{mid}\r\n" for mid in mids.split())
    return {"sdp": f"a=group:BUNDLE {mids}\r\n{sdp('THEM', ufrag)}{lines}", "callId": "x"}


@pytest.mark.parametrize(
    ("mids", "ufrag", "answer"),
    [
        ("0 1 2", "u", n.Answer),  # a section more, on the same transport
        ("1", "u", n.Answer),  # the section that led is rejected; the transport stays
        ("1 0", "v", AnswerRestart),
        ("2 0 1", "v", n.Answer),  # a new section leads: it has a transport of its own
    ],
)
def test_a_transport_is_new_where_a_new_section_leads_the_bundle(
    mids: str, ufrag: str, answer: type
) -> None:
    negotiation = waiting()
    negotiation.signal("offer", bundle("0 1"), "unused")
    negotiation.connected()
    effect = ask(negotiation, "offer", bundle(mids, ufrag))[0]
    assert isinstance(effect, answer)
    if isinstance(effect, n.Answer):
        assert effect.replace is (ufrag == "v")


def test_a_restart_before_the_connection_is_there_needs_a_new_one() -> None:
    negotiation = connecting()
    effects = ask(negotiation, "offer", described("THEM", "x", "v"))
    assert effects[0] == n.Answer(sdp("THEM", "v"), "x", True)


# Garbage


@pytest.mark.parametrize(
    "make", [waiting, offering, connecting, connected, closing, retrying, hung_up]
)
@pytest.mark.parametrize(
    ("type", "payload"),
    [
        ("offer", {}),
        ("offer", {"sdp": None}),
        ("offer", {"sdp": ["v=0"]}),
        ("answer", {"sdp": "v=0", "callId": "of another"}),
        ("ice-candidate", {}),
        ("ice-candidate", {"candidate": None}),
        ("ice-candidate", {"candidate": {"candidate": "c"}}),
        ("dance", {"sdp": "v=0"}),
        ("", {}),
    ],
)
def test_garbage_is_dropped(make: Any, type: str, payload: dict[str, Any]) -> None:
    negotiation = make()
    before = negotiation.phase, negotiation.call_id
    assert ask(negotiation, type, payload) == []
    assert (negotiation.phase, negotiation.call_id) == before


@pytest.mark.parametrize("call_id", [7, None, ["x"], {"x": 1}])
def test_a_call_id_that_is_no_text_is_none(call_id: object) -> None:
    offer = {"sdp": "no fingerprint here", "callId": call_id}
    effects = ask(waiting(), "offer", offer)
    assert effects[0] == n.Answer("no fingerprint here", None, replace=True)
