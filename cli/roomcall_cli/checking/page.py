"""The page of a check, from its bundle: one file that needs no network. Pure but for the template.

The verdict, the matrix of pairs, what was measured over time, what happened, and the machine.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from .bundle import Recorded
from .plots import COLOURS, Series, plot

Event = Mapping[str, Any]
Points = list[tuple[float, float | None]]

MOST_EVENTS = 1000
# Of the matrix: the metric, its title, how it is written, what is good, and what is bad.
_METRICS = (
    ("framesPerSecond", "Pictures a second", "{:.1f}", None, 0.0),
    ("latency", "Latency", "{:.3f} s", 0.1, 0.6),
    ("loss", "Loss", "{:.1%}", 0.0, 0.05),
    ("avOffset", "Sound after picture", "{:+.3f} s", 0.0, 0.1),
    ("freezes", "Freezes", "{:.0f}", 0.0, 3.0),
    ("roundTripTime", "Round trip", "{:.4f} s", 0.0, 0.4),
    ("setup", "Connected after", "{:.2f} s", 0.2, 3.0),
)
_OF_PAIRS = (  # the plots, in order
    "Pictures a second",
    "Latency (s)",
    "Sound after picture (s)",
    "Loss (%)",
    "Round trip (s)",
    "kbit/s",
)
# The title, the figure of `load`, and what the axis has at least.
_OF_PEERS = (("CPU of the process (cores)", "cpu", 0.5), ("Event loop late (s)", "loopLag", 0.05))


@dataclass(frozen=True, slots=True)
class Cell:
    """`hue` is from 0 (red, bad) to 140 (green)."""

    text: str
    hue: int | None


@dataclass(frozen=True, slots=True)
class Matrix:
    title: str
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True, slots=True)
class Plot:
    title: str
    svg: Markup
    labels: Sequence[str]


def page_of(recorded: Recorded) -> str:
    """As HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    verdict = recorded.about["verdict"]
    return environment.get_template("page.html.jinja").render(
        verdict=verdict,
        complete=recorded.about["complete"],
        matrices=list(matrices(verdict["pairs"])),
        plots=list(plots(recorded.events)),
        pictures=list(pictures(recorded)),
        happened=happened(recorded.events),
        about=recorded.about,
        colours=COLOURS,
    )


def matrices(pairs: Sequence[Mapping[str, Any]]) -> Iterator[Matrix]:
    """Who sends in rows, who receives in columns."""
    receivers = list(dict.fromkeys(pair["to"] for pair in pairs))
    # In the same order, and then those who are none of ours.
    senders = list(dict.fromkeys([*receivers, *(pair["from"] for pair in pairs)]))
    found = {(pair["from"], pair["to"]): pair for pair in pairs}
    for metric, title, pattern, good, bad in _METRICS:
        values = [pair[metric] for pair in pairs if pair[metric] is not None]
        if not values:
            continue
        best = max(values) if good is None else good
        rows = []
        for sender in senders:
            cells = []
            for receiver in receivers:
                pair = found.get((sender, receiver))
                cells.append(
                    Cell("", None) if pair is None else _cell(pair[metric], pattern, best, bad)
                )
            rows.append((sender, cells))
        yield Matrix(title, receivers, rows)


def _cell(value: float | None, pattern: str, good: float, bad: float) -> Cell:
    if value is None:
        return Cell("–", 0)
    badness = (abs(value) - good) / (bad - good) if bad != good else 0.0
    return Cell(pattern.format(value), round(140 * (1 - min(1.0, max(0.0, badness)))))


def pictures(recorded: Recorded) -> Iterator[tuple[str, str]]:
    """What each pair is called, and its picture as an address that holds it."""
    for (id, receiver), jpeg in recorded.pictures.items():
        sender = _names(recorded.events[receiver])[id]
        yield f"{sender} → {receiver}", f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def _names(said: Sequence[Event]) -> dict[str, str]:
    """Of the members that a peer has met, by their ids."""
    arrivals = [event for event in said if event["event"] == "member-joined"]
    return {event["peer"]: event["name"] or event["peer"][:8] for event in arrivals}


def plots(events: Mapping[str, Sequence[Event]]) -> Iterator[Plot]:
    """Over the seconds since the first event of all."""
    times = [_time(event) for said in events.values() for event in said]
    if not times:
        return
    zero, end = min(times), max(times)
    lines: dict[str, dict[str, Points]] = {}
    for receiver, said in events.items():
        names = _names(said)
        stats = [event for event in said if event["event"] == "stats"]
        for before, after in pairwise(stats):
            seconds = _time(after) - _time(before)
            for id, now in after["peers"].items():
                pair = f"{names.get(id, id[:8])} → {receiver}"
                for title, value in _figures(before["peers"].get(id, {}), now, seconds):
                    points = lines.setdefault(title, {}).setdefault(pair, [])
                    points.append((_time(after) - zero, value))
        for title, name, _ in _OF_PEERS:
            figures = [(_time(event) - zero, event["load"][name]) for event in stats]
            lines.setdefault(title, {})[receiver] = figures
    least = {"Loss (%)": 1.0, **{title: value for title, _, value in _OF_PEERS}}
    for title in sorted(lines, key=[*_OF_PAIRS, *least].index):
        series = [Series(label, points) for label, points in sorted(lines[title].items())]
        if any(value is not None for one in series for _, value in one.points):
            svg = plot(series, begin=0.0, end=end - zero, least=least.get(title, 0.0))
            yield Plot(title, Markup(svg), [one.label for one in series])


def _figures(was: Event, now: Event, seconds: float) -> Iterator[tuple[str, float | None]]:
    video = now.get("video", {}).get("inbound", {})
    yield "Pictures a second", video.get("framesPerSecond")
    yield "Latency (s)", now.get("latency")
    lost, received = _grown(was, now, "packetsLost"), _grown(was, now, "packetsReceived")
    yield "Loss (%)", 100 * max(0.0, lost) / (lost + received) if received > 0 else None
    yield "Sound after picture (s)", now.get("avOffset")
    yield "Round trip (s)", now.get("roundTripTime")
    yield "kbit/s", _grown(was, now, "bytesReceived") * 8 / 1000 / seconds if seconds > 0 else None


def _grown(was: Event, now: Event, name: str) -> float:
    """Of both kinds."""
    return float(
        sum(
            stats.get(kind, {}).get("inbound", {}).get(name, 0) * sign
            for stats, sign in ((now, 1), (was, -1))
            for kind in ("video", "audio")
        )
    )


def happened(events: Mapping[str, Sequence[Event]]) -> list[tuple[str, str, str]]:
    """When, to whom, and what: of everybody, in order."""
    found = sorted(
        (
            (_time(event), who, event)
            for who, said in events.items()
            for event in said
            if event["event"] not in ("stats", "data")
        ),
        key=lambda item: item[0],
    )
    zero = found[0][0] if found else 0.0
    return [(f"{at - zero:.2f} s", who, _said(event)) for at, who, event in found[:MOST_EVENTS]]


def _said(event: Event) -> str:
    names = ("name", "kind", "codec", "reason", "message", "local", "remote", "protocol", "state")
    said = [str(event[name]) for name in names if event.get(name)]
    seconds = [f"{event['seconds']:.2f} s"] if "seconds" in event else []
    return " · ".join([event["event"], *said, *seconds])


def _time(event: Event) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()
