"""What the peers of a call have seen, from the events that each has written, to one record a pair.
Pure.

Rule 1. An event is what `Event.to_dict` gives; peers stand in it by client id.
Rule 2. A pair is ordered: who sends, who receives. Everything of it is taken from the receiver, who
        is one of ours; the sender may be anybody.
Rule 3. The first second of a pair's pictures is not counted: it begins in the middle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ..expectations import Pair, Values

Event = Mapping[str, Any]
Stats = Mapping[str, Any]


@dataclass(slots=True)
class Run:
    """One peer of ours: its name, its events so far, and how it ended, where it has: the exit code
    and the line on stderr."""

    name: str
    events: list[Event] = field(default_factory=list)
    code: int | None = None
    error: str = ""

    @property
    def id(self) -> str | None:
        """Its client id; None as long as it is not in the room."""
        return next((e["id"] for e in self.events if e["event"] == "joined"), None)

    def of(self, kind: str, /, **fields: Any) -> list[Event]:
        """Its events of a kind whose fields are as given."""
        return [
            event
            for event in self.events
            if event["event"] == kind
            and all(event.get(name) == value for name, value in fields.items())
        ]

    def stats_of(self, peer: str) -> list[Stats]:
        """What it measured of a peer, interval by interval."""
        return [e["peers"][peer] for e in self.of("stats") if peer in e["peers"]]


def pair_of(receiver: Run, sender: str, sender_name: str) -> Pair:
    """What `receiver` has of the member `sender`."""
    connected = receiver.of("peer-connected", peer=sender)
    firsts = {e["kind"]: e["seconds"] for e in receiver.of("first-frame", peer=sender)}
    stats = [s for s in receiver.stats_of(sender) if _inbound(s, "video") or _inbound(s, "audio")]
    samples = [_sample(before, after) for before, after in zip(stats[1:], stats[2:], strict=False)]
    last: Stats = stats[-1] if stats else {}
    whole: dict[str, float | bool | None] = {
        "connected": bool(connected),
        "setup": connected[0]["seconds"] if connected else None,
        "firstFrame": firsts.get("video", firsts.get("audio")),
        "framesPerSecond": _mean(samples, "framesPerSecond"),
        "loss": _loss({}, last),
        "freezes": _inbound(last, "video").get("freezeCount"),
        "latency": _median(samples, "latency"),
        "avOffset": _median(samples, "avOffset"),
        "roundTripTime": _median(samples, "roundTripTime"),
    }
    return Pair(sender_name, receiver.name, whole, samples)


def _inbound(stats: Stats, kind: str) -> Mapping[str, Any]:
    inbound: Mapping[str, Any] = stats.get(kind, {}).get("inbound", {})
    return inbound


def _sample(before: Stats, after: Stats) -> Values:
    """One interval."""
    video, earlier = _inbound(after, "video"), _inbound(before, "video")
    freezes = video.get("freezeCount")
    return {
        "framesPerSecond": video.get("framesPerSecond"),
        "loss": _loss(before, after),
        "freezes": None if freezes is None else freezes - earlier.get("freezeCount", 0),
        "latency": after.get("latency"),
        "avOffset": after.get("avOffset"),
        "roundTripTime": after.get("roundTripTime"),
    }


def _loss(before: Stats, after: Stats) -> float | None:
    """The share of the RTP packets of both kinds that are missing after repair."""
    lost = received = 0
    for kind in ("audio", "video"):
        now, earlier = _inbound(after, kind), _inbound(before, kind)
        lost += now.get("packetsLost", 0) - earlier.get("packetsLost", 0)
        received += now.get("packetsReceived", 0) - earlier.get("packetsReceived", 0)
    return max(0, lost) / (max(0, lost) + received) if received > 0 else None


def _measured(samples: Sequence[Values], name: str) -> list[float]:
    return [float(value) for sample in samples if (value := sample.get(name)) is not None]


def _mean(samples: Sequence[Values], name: str) -> float | None:
    values = _measured(samples, name)
    return sum(values) / len(values) if values else None


def _median(samples: Sequence[Values], name: str) -> float | None:
    values = _measured(samples, name)
    return median(values) if values else None
