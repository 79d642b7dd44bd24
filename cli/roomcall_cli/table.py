"""The table of peers: who, in which state, what comes and what goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from roomcall import Peer, events
from roomcall.events import Event

from .wording import who


@dataclass
class Row:
    """One peer as one of our own peers sees it."""

    peer: Peer
    watcher: str
    name: str
    state: str = "connecting"
    seconds: float | None = None
    first: dict[str, float] = field(default_factory=dict)
    stats: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    interval: float = 1.0
    records: bool = False


_STATE_STYLE = {
    "connected": "green",
    "connecting": "yellow",
    "failed": "red",
    "left": "dim",
    "no media": "dim",
}


class Table:
    """Made from events alone. `own_names`: of one's own peers by id, where there are several."""

    def __init__(self, own_names: Mapping[str, str] | None = None) -> None:
        self.own_names = own_names
        self._rows: dict[tuple[str, str], Row] = {}
        self._measured: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def see(self, event: Event, own_id: str) -> None:
        if isinstance(event, events.StatsUpdated):
            interval = event.t - self._measured.get(own_id, 0.0)
            self._measured[own_id] = event.t
            for id, stats in event.peers.items():
                if row := self._rows.get((own_id, id)):
                    row.before, row.stats, row.interval = row.stats, stats, interval
                    if row.state == "connecting" and row.peer.state == "closed":
                        row.state = "no media"  # no event says so, as nothing has happened
        elif isinstance(event, events.SignalingRestored) and self.own_names is None:
            self._rows = {
                (own_id, event.renamed.get(id, id)): row for (_, id), row in self._rows.items()
            }
        elif isinstance(event, events.PeerEvent) and event.peer is not None:
            watcher = (self.own_names or {}).get(own_id, "")
            key = own_id, event.peer.id
            row = self._rows.setdefault(
                key, Row(event.peer, watcher, who(event.name, event.peer.id))
            )
            self._update(row, event)

    @staticmethod
    def _update(row: Row, event: events.PeerEvent) -> None:
        match event:
            case events.PeerConnected(seconds=seconds):
                row.state, row.seconds = "connected", seconds
            case events.PeerReconnected():
                row.state = "connected"
            case events.FirstFrame(kind=kind, seconds=seconds):
                row.first[kind] = seconds
            case events.PeerDisconnected():
                row.state = "disconnected"
            case events.PeerFailed():
                row.state = "failed"
            case events.MemberUpdated(recording=recording):
                row.records = recording
            case events.PeerLeft():
                row.state, row.stats, row.before, row.records = "left", {}, {}, False

    def _in_order(self) -> list[Row]:
        if self.own_names is None:
            return list(self._rows.values())
        place = {id: index for index, id in enumerate(self.own_names)}
        return [row for _, row in sorted(self._rows.items(), key=lambda item: place[item[0][0]])]

    def render(self) -> RenderableType:
        """In 80 columns. `video` and `audio` are the seconds to the first of each; `in` and `out`
        are bits a second of all; `loss` is of what came in; `delay`, of the picture, is there where
        somebody's is known. Who records the room has a `●`."""
        table = RichTable(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
        for title in ("peer",) if self.own_names is None else ("to", "from"):
            table.add_column(title)
        table.add_column("state")
        for title in ("setup", "video", "audio", "size", "fps", "in", "loss", "out", "rtt"):
            table.add_column(title, justify="right")
        if any("latency" in row.stats for row in self._rows.values()):
            table.add_column("delay", justify="right")
        for row in self._in_order():
            cells = [row.watcher] if self.own_names is not None else []
            style = _STATE_STYLE.get(row.state, "")
            late = [_duration(row.stats["latency"])] if "latency" in row.stats else []
            name = Text.assemble(row.name, (" ●", "red") if row.records else "")
            table.add_row(*cells, name, Text(row.state, style), *_cells(row), *late)
        return table


def _cells(row: Row) -> list[str]:
    picture = _section(row.stats, "video", "inbound")
    width = picture.get("frameWidth")
    received, lost = (_grown(row, field, "inbound") for field in ("packetsReceived", "packetsLost"))
    return [
        _text(row.seconds and row.seconds * 1000, "{:.0f} ms"),
        *(_text(row.first.get(kind), "{:.1f} s") for kind in ("video", "audio")),
        f"{width}×{picture['frameHeight']}" if width else "",
        _text(picture.get("framesPerSecond"), "{:.0f}"),
        _rate(row, "bytesReceived", "inbound"),
        _text(100 * lost / (received + lost) if received + lost > 0 else None, "{:.1f}%"),
        _rate(row, "bytesSent", "outbound"),
        _duration(row.stats.get("roundTripTime")),
    ]


def _section(stats: dict[str, Any], kind: str, direction: str) -> dict[str, Any]:
    section: dict[str, Any] = stats.get(kind, {}).get(direction, {})
    return section


def _grown(row: Row, field: str, direction: str) -> float:
    """By how much a counter of picture and sound together grew in the last interval."""
    total = 0.0
    for kind in ("video", "audio"):
        now = _section(row.stats, kind, direction).get(field, 0)
        total += now - _section(row.before, kind, direction).get(field, 0)
    return total


def _rate(row: Row, field: str, direction: str) -> str:
    if not row.stats:
        return ""
    return f"{_grown(row, field, direction) * 8e-3 / row.interval:.0f}k"


def _text(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.{int(seconds < 0.01)}f} ms"
