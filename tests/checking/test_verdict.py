"""The verdict, step by step, on calls that are written here."""

from typing import Any

import pytest

from roomcall.checking.runs import Run
from roomcall.checking.saturation import MAX_LAG
from roomcall.checking.verdict import Verdict, judge_call, judge_received
from roomcall.expectations import Expectation

NAMES = ("ann", "bob")
Event = dict[str, Any]


def stats(t: int, peers: dict[str, Any], lag: float = 0.01) -> Event:
    load = {"loopLag": lag, "cpu": 0.2, "machineCpu": 0.5}
    return {"event": "stats", "t": t, "peers": peers, "load": load}


def media(t: int, **more: Any) -> Event:
    """Of somebody, after so many seconds in which all was well."""
    counters = {"packetsReceived": 20 * t, "packetsLost": 0, "framesReceived": 15 * t}
    video = {**counters, "framesPerSecond": 15, "freezeCount": 0}
    return {
        "video": {"inbound": video, "outbound": {}},
        "audio": {"inbound": counters, "outbound": {}},
        "content": {"black": False, "frozen": False, "silent": False},
        "roundTripTime": 0.01,
        **more,
    }


def call(names: tuple[str, ...] = NAMES, seconds: int = 6) -> dict[str, list[Event]]:
    """The events of each, in a call where all is well; ids are names in capitals."""
    events = {}
    for name in names:
        others = [other for other in names if other != name]
        said: list[Event] = [{"event": "joined", "t": 0, "id": name.upper()}]
        for other in others:
            peer = {"peer": other.upper(), "name": other}
            said += [
                {"event": "member-joined", "t": 0, **peer},
                {"event": "peer-connected", "t": 0.1, "seconds": 0.1, **peer},
            ]
            for kind in ("video", "audio"):
                said += [
                    {"event": "track", "t": 0.1, "kind": kind, **peer},
                    {"event": "first-frame", "t": 0.2, "kind": kind, "seconds": 0.2, **peer},
                ]
        said += [
            stats(t, {other.upper(): media(t) for other in others}) for t in range(1, seconds + 1)
        ]
        events[name] = [*said, {"event": "left", "t": seconds, "reason": "interrupted"}]
    return events


def without(events: list[Event], event_kind: str, /, **fields: Any) -> list[Event]:
    wanted = {"event": event_kind, **fields}
    return [event for event in events if not wanted.items() <= event.items()]


def run(name: str, events: list[Event], code: int | None = 0, error: str = "") -> Run:
    run = Run(name)
    run.code, run.error = code, error
    run.begin_measuring()
    for event in events:
        run.add(event)
    return run


def judged(events: dict[str, list[Event]], *expect: str, **more: Any) -> Verdict:
    runs = [run(name, said) for name, said in events.items()]
    return judge_call(runs, expectations=[Expectation.parse(text) for text in expect], **more)


def said_by(verdict: Verdict) -> tuple[bool | None, int, list[str]]:
    return verdict.ok, verdict.code, [text.split(" — ")[0] for text in verdict.texts()]


def test_where_all_is_well() -> None:
    verdict = judged(call(), "loss<1%", "setup<0.2")
    assert said_by(verdict) == (True, 0, [])
    assert verdict.pairs[0].whole["framesPerSecond"] == 15
    assert verdict.to_dict()["expectations"][0] == {"text": "loss<1%", "ok": True, "measured": 0.0}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"black": True, "frozen": True}, "bob → ann: picture: it is black"),
        ({"frozen": True}, "bob → ann: picture: it is frozen"),
        ({"silent": True}, "bob → ann: sound: it is silent"),
    ],
)
def test_content_is_judged_at_the_end(content: Any, text: str) -> None:
    events = call()
    late = [event for event in events["ann"] if event["event"] == "stats"]
    late[1]["peers"]["BOB"]["content"] = content  # as it begins: no failure
    assert judged(events).ok
    for event in late[-3:]:
        event["peers"]["BOB"]["content"] = content
    assert said_by(judged(events)) == (False, 1, [text])


def test_what_was_not_measured_is_no_yes() -> None:
    events = {name: without(said, "stats") for name, said in call().items()}
    verdict = judged(events)
    assert (verdict.ok, verdict.code) == (False, 1)
    assert "too little was measured" in verdict.texts()[0]
    assert judged(events, complete=False).code == 6


def test_what_has_stopped() -> None:
    events = call()
    for event in events["ann"][-4:-1]:
        event["peers"]["BOB"] = media(4)
    assert said_by(judged(events)) == (
        False,
        1,
        ["bob → ann: flow: no picture came in the last 2 s"],
    )


def test_a_first_frame_that_does_not_come() -> None:
    events = call()
    events["ann"] = without(events["ann"], "first-frame", kind="audio")
    text = "bob → ann: first frame: no sound could be put together from the 120 packets that came"
    assert said_by(judged(events)) == (False, 1, [text])


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("no ICE path (tried …)", "ICE: no ICE path (tried …)"),
        ("the DTLS handshake failed", "DTLS: the DTLS handshake failed"),
        ("no answer to the offer", "signaling: no answer to the offer"),
        (None, "signaling: no connection was made, and no failure was told"),
    ],
)
def test_a_connection_that_is_not_made_is_told_once(reason: str | None, text: str) -> None:
    events = call()
    for name, other in (("ann", "BOB"), ("bob", "ANN")):
        events[name] = without(events[name], "peer-connected")
        if reason is not None:
            why = reason if name == "ann" else "the other side found no media path"
            failed = {"event": "peer-failed", "t": 1, "peer": other, "name": "", "reason": why}
            events[name].insert(3, failed)
    ok, code, (told,) = said_by(judged(events))
    assert (ok, code, told.split(": ", 1)[1]) == (False, 5, text)
    verdict = judged(events, complete=False)
    assert (verdict.ok, verdict.code) == ((None, 6) if reason is None else (False, 1))


def test_a_silent_ice_server_is_named() -> None:
    events = call()
    for name in NAMES:
        events[name] = without(events[name], "peer-connected")
        warning = {"event": "warning", "message": "the ICE server turn:x does not answer"}
        events[name].append({**warning, "t": 5})
    (told,) = judged(events).texts()
    assert "ICE: no media path was found in time; the ICE server turn:x does not answer" in told


def test_a_path_that_was_lost_and_is_not_back() -> None:
    events = call()
    lost = {"event": "peer-disconnected", "t": 5, "peer": "BOB", "name": "bob"}
    events["ann"].insert(-1, lost)
    verdict = judged(events)
    assert said_by(verdict)[:2] == (False, 1)
    assert "ICE: the path was lost" in verdict.texts()[0]
    events["ann"].insert(-1, {**lost, "event": "peer-reconnected"})
    assert judged(events).ok


@pytest.mark.parametrize(
    ("code", "error", "step"),
    [
        (2, "Error: x.mp4 cannot be read — give another", "source: x.mp4 cannot be read"),
        (3, "Error: nobody is there", "server: nobody is there"),
        (4, "Error: room-full", "join: room-full"),
        (-9, "it did not leave within 8 s", "leave: it did not leave within 8 s"),
        (1, "", "leave: it ended with 1"),
    ],
)
def test_a_peer_that_ends_by_itself(code: int, error: str, step: str) -> None:
    events = call()
    runs = [run("ann", events["ann"]), run("bob", events["bob"], code, error)]
    verdict = judge_call(runs)
    assert said_by(verdict) == (False, code if code in (2, 3, 4) else 1, [f"bob: {step}"])


@pytest.mark.parametrize("present", [(), ("ann",)])
def test_who_does_not_come_makes_no_yes(present: tuple[str, ...]) -> None:
    events = call()
    runs = [run(name, events[name] if name in present else []) for name in NAMES]
    verdict = judge_call(runs, expectations=[Expectation.parse("loss<1%")])
    assert (verdict.ok, verdict.code) == (False, 5)
    assert "bob: signaling: it was not in the room in time" in "".join(verdict.texts())
    assert verdict.checks[0].ok is False
    assert judge_call(runs, complete=False).code == 6


def test_the_first_code_that_applies_counts() -> None:
    events = call(("ann", "bob", "cem"))
    codes = {"ann": 4, "bob": 3, "cem": 4}
    runs = [run(name, [], codes[name], "Error: so") for name in events]
    verdict = judge_call(runs)
    assert (verdict.code, len(verdict.failures)) == (3, 2)  # ann and cem say the same
    assert "ann, cem: join: so" in verdict.texts()[0]


@pytest.mark.parametrize(("back", "code"), [(False, 3), (True, 0)])
def test_a_server_that_is_lost(back: bool, code: int) -> None:
    events = call()
    events["ann"].insert(-1, {"event": "signaling-lost", "t": 4})
    if back:
        restored = {"event": "signaling-restored", "resumed": True, "id": "ANN", "renamed": {}}
        events["ann"].insert(-1, {**restored, "t": 5})
    assert judged(events).code == code


def test_members_are_known_by_their_new_ids() -> None:
    events = call()
    restored = {"event": "signaling-restored", "t": 3.5, "resumed": False}
    for name, other in (("ann", "bob"), ("bob", "ann")):
        new = {"id": f"{name.upper()}2", "renamed": {other.upper(): f"{other.upper()}2"}}
        for event in events[name]:
            if event["event"] == "stats" and event["t"] > 3:
                event["peers"] = {f"{id}2": peer for id, peer in event["peers"].items()}
        events[name][-4:-4] = [{"event": "signaling-lost", "t": 3.1}, {**restored, **new}]
    verdict = judged(events, "framesPerSecond.min>=14")
    assert said_by(verdict) == (True, 0, [])
    assert len(verdict.pairs[0].samples) == 5
    (outcome,) = judge_received(run("ann", events["ann"]), [Expectation.parse("loss==0")])
    assert outcome.ok


def test_others_are_judged_by_what_comes_of_them() -> None:
    events = call(("ann", "bob", "app"))
    del events["app"]
    others = {"APP": "app"}
    assert judged(events, others=others).ok
    assert len(judged(events, others=others).pairs) == 4
    for name in NAMES:
        events[name] = without(events[name], "track", peer="APP")
    told = said_by(judged(events, others=others))[2]
    assert told == [f"app → {n}: first frame: neither picture nor sound is sent" for n in NAMES]
    missing = judged(call(), missing=2)
    assert said_by(missing) == (False, 5, ["awaited members: signaling: 2 did not come"])
    gone = {"event": "member-left", "t": 3, "peer": "APP", "name": "app", "reason": "left"}
    events["ann"].insert(-1, gone)
    assert "app → ann: signaling: it left in the middle" in judged(events, others=others).texts()[0]


def saturated(events: dict[str, list[Event]]) -> dict[str, list[Event]]:
    for said in events.values():
        for event in said:
            if event["event"] == "stats":
                event["load"]["loopLag"] = 3 * MAX_LAG
    return events


@pytest.mark.parametrize(
    ("on_saturated", "ok", "code"), [(None, None, 6), ("fail", False, 1), ("pass", True, 0)]
)
def test_a_machine_that_is_too_slow(on_saturated: Any, ok: bool | None, code: int) -> None:
    for expect in ("latency<1", "loss<1%"):  # not measured, and measured
        verdict = judged(saturated(call()), expect, on_saturated=on_saturated)
        assert (verdict.ok, verdict.code) == (ok, code)
        assert "too slow to judge: event loops were up to 450 ms late" in verdict.texts()[-1]


def test_what_no_load_can_cause_is_a_no_all_the_same() -> None:
    events = saturated(call())
    for event in events["ann"]:
        if event["event"] == "stats":
            event["peers"]["BOB"]["content"]["black"] = True
    assert said_by(judged(events, on_saturated="pass"))[:2] == (False, 1)


def test_one_late_loop_is_no_saturation() -> None:
    events = call(seconds=10)
    next(event for event in events["ann"] if event["event"] == "stats")["load"]["loopLag"] = 2.0
    assert judged(events).saturated is None


def test_broken_off_it_can_have_failed_but_not_passed() -> None:
    assert said_by(judged(call(), "loss<1%", complete=False)) == (None, 6, [])
    assert judged(call(), "loss>1%", complete=False).code == 1
    assert judged(call(), "latency<1", complete=False).code == 6  # not measured yet
    assert judged(saturated(call()), "loss>1%", complete=False).code == 6


def test_the_leave_of_one_is_seen_by_the_others() -> None:
    events = call()
    runs = [run(name, said) for name, said in events.items()]
    runs[0].leaves_first = True
    assert said_by(judge_call(runs)) == (False, 1, ["ann → bob: leave: its leave was not seen"])
    runs[1].add({"event": "member-left", "t": 9, "peer": "ANN", "name": "ann", "reason": "left"})
    assert judge_call(runs).ok


def test_loss_is_that_of_the_kind_that_lost_more() -> None:
    events = call()
    last = [event for event in events["ann"] if event["event"] == "stats"][-1]
    last["peers"]["BOB"]["audio"] = {"inbound": {"packetsReceived": 100, "packetsLost": 20}}
    verdict = judged(events, "loss<1%")
    (pair,) = [pair for pair in verdict.pairs if pair.receiver == "ann"]
    assert pair.whole["loss"] == 0.2  # 20 of the 100 that should have come since the first
    assert verdict.texts()[0].startswith("flow: loss<1%: it is 0.2 (bob → ann) — ")


def test_only_what_was_measured_counts() -> None:
    events = call()
    of_ann = Run("ann")
    of_ann.code = 0
    for event in events["ann"]:
        if event["event"] == "stats" and event["t"] == 3:
            of_ann.begin_measuring()
        if event["event"] == "stats" and event["t"] == 5:
            of_ann.end_measuring()
        of_ann.add(event)
    assert [event["t"] for event in of_ann.stats] == [2, 3, 4]
    assert of_ann.measured == (9, 11)  # of its events


def test_a_path_that_ends_as_somebody_leaves_is_no_failure() -> None:
    events = call()
    runs = [run(name, said) for name, said in events.items()]
    lost = {"event": "peer-disconnected", "t": 7, "peer": "BOB", "name": "bob"}
    runs[0].end_measuring()
    runs[0].add(lost)
    assert judge_call(runs).ok
    runs[1].add({**lost, "peer": "ANN"})
    assert not judge_call(runs).ok


def test_latency_and_sync_are_steps_of_their_own() -> None:
    events = call()
    for said in events.values():
        for event in said:
            for peer in event.get("peers", {}).values():
                peer |= {"latency": 0.2, "avOffset": -0.3}
    marks = {check.text: (check.ok, check.figure) for check in judged(events).checks}
    assert marks["latency"] == (True, "0.200 s at most")
    assert marks["picture and sound in sync"] == (True, "0.300 s apart at most")
    verdict = judged(events, "latency.p95<0.1", "avOffset.max<0.08")
    assert said_by(verdict) == (
        False,
        1,
        [
            "latency: latency.p95<0.1: it is 0.2 (bob → ann, ann → bob)",
            "sync: avOffset.max<0.08: it is 0.3 (bob → ann, ann → bob)",
        ],
    )
    assert [check.text for check in verdict.checks if check.ok is False] == [
        "latency",
        "picture and sound in sync",
    ]
    unknown = [check.text for check in judged(call()).checks if check.ok is None]
    assert unknown == ["latency", "picture and sound in sync"]  # no testsrc
