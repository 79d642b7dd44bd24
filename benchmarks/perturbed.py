"""Clean calls as they might have been too, made from one that was recorded."""

import random
from collections.abc import Iterator
from typing import Any

from roomcall.checking.runs import Run
from roomcall.checking.verdict import Verdict, judge_call
from roomcall.expectations import Expectation

LENIENT = tuple(
    map(
        Expectation.parse,
        ("framesPerSecond>=10", "loss<1%", "freezes==0", "latency.p95<0.4", "avOffset.max<0.08"),
    )
)


def verdicts(record: Any, count: int, seed: int = 7) -> Iterator[Verdict]:
    """On so many of them; all have to be yes."""
    chance = random.Random(seed)
    for _ in range(count):
        runs = [
            perturbed(peer, record["events"][peer["name"]], chance)
            for peer in record["about"]["peers"]
        ]
        yield judge_call(runs, expectations=LENIENT)


def perturbed(peer: Any, events: list[dict[str, Any]], chance: random.Random) -> Run:
    """As another clean call might have been: later or sooner, in another order, with other figures,
    and the odd report that is missing."""
    moved = sorted(events, key=lambda event: event["t"] + chance.uniform(0, 0.02))
    stats = [event for event in moved if event["event"] == "stats"]
    missing = chance.choice([None, *stats[1:]])
    pace = chance.uniform(0.9, 1.1)
    run = Run(peer["name"], leaves_first=peer["leavesFirst"])
    run.code = peer["code"]
    run.begin_measuring()
    for event in moved:
        if event is missing:
            continue
        if event["event"] == "stats":
            event = {**event, "peers": {i: vary(s, chance) for i, s in event["peers"].items()}}
            lag = chance.expovariate(1 / 0.02)
            event["load"] = {**event["load"], "loopLag": min(0.4, lag)}
        run.add({**event, "t": event["t"] * pace})
    return run


def vary(stats: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    varied = {**stats}
    for name, spread in (("latency", 0.1), ("avOffset", 0.03), ("roundTripTime", 0.05)):
        if stats.get(name) is not None:
            varied[name] = stats[name] + chance.uniform(0, spread)
    if chance.random() < 0.01:
        varied.pop("avOffset", None)
    if "inbound" in stats.get("video", {}):
        inbound = {**stats["video"]["inbound"]}
        inbound["framesPerSecond"] = inbound["framesPerSecond"] + chance.randint(-3, 3)
        varied["video"] = {**stats["video"], "inbound": inbound}
    return varied
