"""How a verdict looks to people. Pure."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from roomcall.checking.verdict import Verdict, failed_text
from roomcall.expectations import Outcome, Pair

from ..wording import printable

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "dim")}
_COLUMNS = {  # of the table of pairs: the metric, what stands above it, and how it is written
    "setup": ("setup", "{:.2f} s"),
    "firstFrame": ("first", "{:.2f} s"),
    "framesPerSecond": ("fps", "{:.1f}"),
    "loss": ("loss", "{:.1%}"),
    "freezes": ("freezes", "{:.0f}"),
    "latency": ("latency", "{:.3f} s"),
    "avOffset": ("a/v", "{:+.3f} s"),
    "roundTripTime": ("rtt", "{:.4f} s"),
}


def line_of(outcome: Outcome) -> str:
    """One expectation, with what was measured."""
    text = f"{_MARKS[outcome.ok][0]} {outcome.expectation.text}"
    return f"{text}: {_figure(outcome)}" if outcome.ok else f"✗ {failed_text(outcome)}"


def report(verdict: Verdict) -> Iterator[RenderableType]:
    """Everything: what was checked, what was expected, what is wrong, the pairs, the verdict."""
    yield _checks(verdict)
    for text in verdict.texts():
        yield Text(f"→ {printable(text)}", "yellow" if text == verdict.saturated else "red")
    if verdict.pairs:
        yield _pairs(verdict.pairs)
    yield last_line(verdict)


def last_line(verdict: Verdict) -> Text:
    if verdict.ok and verdict.saturated:
        return Text("Yes as asked for, though this machine was too slow to know", "bold yellow")
    if verdict.ok:
        return Text("Yes: all that was checked is as it should be", "bold green")
    if verdict.ok is False:
        count = len(verdict.texts())
        return Text(f"No: {count} {'things are' if count > 1 else 'thing is'} wrong", "bold red")
    why = "this machine was too slow" if verdict.saturated else "it was broken off"
    return Text(f"No verdict: {why}", "bold yellow")


def _checks(verdict: Verdict) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for check in verdict.checks:
        table.add_row(Text(*_MARKS[check.ok]), check.text, Text(check.figure, "dim"))
    for outcome in verdict.outcomes:
        mark = Text(*_MARKS[outcome.ok])
        table.add_row(mark, printable(outcome.expectation.text), Text(_figure(outcome), "dim"))
    return table


def _figure(outcome: Outcome) -> str:
    return "not measured" if outcome.measured is None else f"{outcome.measured:.4g}"


def _pairs(pairs: tuple[Pair, ...]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("from")
    table.add_column("to")
    shown = [name for name in _COLUMNS if any(pair.whole[name] is not None for pair in pairs)]
    for name in shown:
        table.add_column(_COLUMNS[name][0], justify="right")
    for pair in pairs:
        cells = (_cell(name, pair.whole[name]) for name in shown)
        table.add_row(printable(pair.sender), printable(pair.receiver), *cells)
    return table


def _cell(name: str, value: float | bool | None) -> str:
    return "" if value is None else _COLUMNS[name][1].format(value)
