"""A recording as the commands show it: its progress, and what became of it."""

from typing import TYPE_CHECKING

from rich.table import Table as RichTable
from rich.text import Text

from roomcall.events import Event, StatsUpdated

from .wording import who

if TYPE_CHECKING:
    from rich.console import RenderableType

    from roomcall import Recording
    from roomcall.recording.session import File


class RecordingTable:
    """Who is recorded, in which file, how long, how much, and how fast it grows."""

    def __init__(self) -> None:
        self.recording: Recording | None = None
        self._sizes: dict[str, int] = {}
        self._rates: dict[str, float] = {}
        self._measured = 0.0

    def __bool__(self) -> bool:
        return self.recording is not None and bool(self.recording.session.files)

    def see(self, event: Event, own_id: str) -> None:
        if self.recording is None or not isinstance(event, StatsUpdated):
            return
        interval, self._measured = event.t - self._measured, event.t
        for file in self.recording.session.files:
            size = sum(track.bytes for track in file.tracks)
            grown = size - self._sizes.get(file.file, 0)
            self._sizes[file.file] = size
            self._rates[file.file] = grown * 8e-3 / max(interval, 0.1)

    def render(self) -> "RenderableType":
        table = RichTable(box=None, header_style="dim", padding=(0, 1, 0, 0))
        for title in ("who", "file", "state"):
            table.add_column(title)
        for title in ("picture", "from", "length", "size", "rate"):
            table.add_column(title, justify="right")
        for file in self.recording.session.files if self.recording is not None else ():
            self._add_row(table, file)
        return table

    def _add_row(self, table: RichTable, file: "File") -> None:
        assert self.recording is not None
        name = self.recording.session.participants[file.participant].name
        sizes = [f"{t.width}×{t.height}" for t in file.tracks if t.kind == "video"]
        style = {"recording": "green", "failed": "red"}.get(file.state, "")
        running = file.state == "recording"
        table.add_row(
            Text(who(name, file.peer)),
            Text(file.file),
            Text(file.state, style),
            *(sizes or [""]),
            f"{file.offset:.1f} s",
            f"{file.seconds:.1f} s",
            human_size(file.bytes),
            f"{self._rates.get(file.file, 0):.0f}k" if running else "",
        )


def human_size(size: int) -> str:
    """Such as 1.2 MB."""
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1e6:.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:.2f} GB"
