"""What the peers of a call have seen, from the events that each has written, to one record a pair.
Pure.

Rule 1. An event is what `Event.to_dict` gives; peers stand in it by client id. A member has several
        where the server has forgotten it meanwhile.
Rule 2. A pair is ordered: who sends, who receives. Everything of it is taken from the receiver, who
        is one of ours; the sender may be anybody.
Rule 3. Statistics count from `begin_measuring` to `end_measuring`. What was counted before that is
        taken off. Of a long call its last `MOST_STATS` count.
Rule 4. `loss` is that of the kind which has lost more: much that is well would hide it otherwise,
        as pictures are many packets and are repaired, while sound is few and is not.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from ..expectations import Pair, Values

Event = Mapping[str, Any]
Stats = Mapping[str, Any]
KINDS = ("video", "audio")
MOST_STATS = 3600
# Who leaves closes its connections, and the others may see that before they are told.
_OF_LEAVING = {"peer-disconnected", "peer-failed", "signaling-lost"}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who may send; `sends`: the kinds. `ours`: it is as we have made it."""

    name: str
    ids: frozenset[str]
    sends: frozenset[str]
    ours: bool = True


class Run:
    """One peer of ours: what it has said so far, and how it ended, where it has: its exit code, and
    its line on stderr. `leaves_first`: the others are there to see it leave."""

    def __init__(self, name: str, *, leaves_first: bool = False) -> None:
        self.name = name
        self.leaves_first = leaves_first
        self.code: int | None = None
        self.error = ""
        self.stats: list[Event] = []  # those that count
        self._by_kind: defaultdict[str, list[Event]] = defaultdict(list)
        self._is_measuring = False
        # Where in its events the measuring begins, and ends.
        self.measured: tuple[int, int | None] | None = None
        self._count = 0  # of its events

    def add(self, event: Event) -> None:
        self._count += 1
        if self.is_measured and event["event"] in _OF_LEAVING:
            return
        of_kind = self._by_kind[event["event"]]
        of_kind.append(event)
        if event["event"] == "stats":
            if self._is_measuring:
                self.stats.append(event)
            for events in (of_kind, self.stats):
                del events[:-MOST_STATS]

    def begin_measuring(self) -> None:
        self._is_measuring = True
        # What growth is measured from.
        self.stats = self._by_kind["stats"][-1:]
        self.measured = self._count, None

    def end_measuring(self) -> None:
        if self._is_measuring and self.measured is not None:
            self._is_measuring = False
            self.measured = self.measured[0], self._count

    @property
    def is_measured(self) -> bool:
        """It has been, and is not any more."""
        return self.measured is not None and not self._is_measuring

    def of(self, kind: str, member: Member | None = None, /, **fields: Any) -> list[Event]:
        """Its events of a kind: about a member, with fields as given."""
        return [
            event
            for event in self._by_kind.get(kind, ())
            if (member is None or event["peer"] in member.ids)
            and all(event.get(name) == value for name, value in fields.items())
        ]

    def stats_of(self, member: Member) -> Iterator[tuple[float, Stats]]:
        """What it measured of a member, each with its `t`."""
        for event in self.stats:
            for id in member.ids & event["peers"].keys():
                yield event["t"], event["peers"][id]

    @property
    def ids(self) -> frozenset[str]:
        """Its client ids; none as long as it is not in the room."""
        return frozenset(e["id"] for e in self.of("joined") + self.of("signaling-restored"))

    @property
    def id(self) -> str | None:
        """The one that it has now."""
        restored = self.of("signaling-restored") or self.of("joined")
        return restored[-1]["id"] if restored else None

    @property
    def sends(self) -> frozenset[str]:
        """The kinds that it sends, or would if it could."""
        sections = (
            (kind, peer.get(kind, {}))
            for event in self._by_kind.get("stats", ())
            for peer in event["peers"].values()
            for kind in KINDS
        )
        return frozenset(kind for kind, section in sections if "outbound" in section)


def stranger(id: str, name: str, seen_by: Sequence[Run]) -> Member:
    """Somebody who is none of ours: what we know of it is what came of it."""
    restored = [event["renamed"] for run in seen_by for event in run.of("signaling-restored")]
    ids = {id} | {renamed[id] for renamed in restored if id in renamed}
    member = Member(name, frozenset(ids), frozenset(), ours=False)
    kinds = {event["kind"] for run in seen_by for event in run.of("track", member)}
    return replace(member, sends=frozenset(kinds))


def pair_of(receiver: Run, sender: Member) -> Pair:
    """What `receiver` has of a member."""
    connected = receiver.of("peer-connected", sender)
    firsts = {event["kind"]: event["seconds"] for event in receiver.of("first-frame", sender)}
    stats = [s for _, s in receiver.stats_of(sender) if any(_inbound(s, kind) for kind in KINDS)]
    samples = [_grown(before, after) for before, after in pairwise(stats)]
    whole: dict[str, float | bool | None] = {
        "connected": bool(connected),
        "setup": connected[0]["seconds"] if connected else None,
        "firstFrame": firsts.get("video", firsts.get("audio")),
        "framesPerSecond": _mean(samples, "framesPerSecond"),
        "loss": _grown(stats[0], stats[-1])["loss"] if stats else None,
        "freezes": _grown(stats[0], stats[-1])["freezes"] if stats else None,
        "latency": _median(samples, "latency"),
        "avOffset": _median(samples, "avOffset"),
        "roundTripTime": _median(samples, "roundTripTime"),
    }
    return Pair(sender.name, receiver.name, whole, samples)


def inbound(stats: Stats, kind: str, name: str) -> Any:
    """A figure of what comes of a kind; None where there is none."""
    return _inbound(stats, kind).get(name)


def _inbound(stats: Stats, kind: str) -> Mapping[str, Any]:
    section: Mapping[str, Any] = stats.get(kind, {}).get("inbound", {})
    return section


def _grown(before: Stats, after: Stats) -> Values:
    """Between two looks."""
    freezes, freezes_before = _freezes(after), _freezes(before) or 0
    return {
        "framesPerSecond": inbound(after, "video", "framesPerSecond"),
        "loss": max(
            (loss for kind in KINDS if (loss := _loss(before, after, kind)) is not None),
            default=None,
        ),
        "freezes": None if freezes is None else max(0, freezes - freezes_before),
        "latency": after.get("latency"),
        "avOffset": after.get("avOffset"),
        "roundTripTime": after.get("roundTripTime"),
    }


def _freezes(stats: Stats) -> int | None:
    """As the marks of a `testsrc` show them, else as frames come."""
    count: int | None = stats.get("freezes", inbound(stats, "video", "freezeCount"))
    return count


def _loss(before: Stats, after: Stats, kind: str) -> float | None:
    """The share of a kind's RTP packets that are missing after repair."""
    lost, received = (
        inbound(after, kind, name) - (inbound(before, kind, name) or 0)
        if inbound(after, kind, name) is not None
        else 0
        for name in ("packetsLost", "packetsReceived")
    )
    # What is repaired later takes lost packets off again.
    return max(0, lost) / (max(0, lost) + received) if received > 0 else None


def _measured(samples: Sequence[Values], name: str) -> list[float]:
    return [float(value) for sample in samples if (value := sample.get(name)) is not None]


def _mean(samples: Sequence[Values], name: str) -> float | None:
    values = _measured(samples, name)
    return sum(values) / len(values) if values else None


def _median(samples: Sequence[Values], name: str) -> float | None:
    values = _measured(samples, name)
    return median(values) if values else None
