"""What a load came to, for people and for scripts; and what it needs of this machine."""

from datetime import UTC, datetime

import click
from rich.table import Table
from rich.text import Text

from roomcall.events import rfc3339
from roomcall.loading.result import SHOWN, Result, Verdict

from .lines import stdout_console
from .output import write_json
from .wording import printable

_SPARE_FILES = 64
_PEER_FILES = 8  # a socket for each address of this machine, while two rounds of ICE overlap


def raise_file_limit(clients: int, peers: int = 0) -> None:
    """A descriptor a client, and those of its connections to so many `peers`. Raises
    `click.UsageError` where this user may not have so many."""
    try:
        import resource
    except ImportError:  # where there is no such limit
        return
    needed = clients * (1 + peers * _PEER_FILES) + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise click.UsageError(
            f"--clients {clients} needs {needed} open files, and {hard} are allowed — raise `ulimit"
            " -Hn`, or take fewer"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def show_json(result: Result, verdict: Verdict) -> None:
    write_json(
        {
            "event": "verdict",
            "at": rfc3339(datetime.now(UTC)),
            "t": round(result.seconds, 3),
            "ok": verdict.ok,
            "saturated": verdict.saturated is not None,
            "failures": [*verdict.failures, *([verdict.saturated] if verdict.saturated else [])],
            "expectations": [
                {"expect": one.expectation.text, "ok": one.ok, "measured": one.measured}
                for one in verdict.outcomes
            ],
            **result.figures(),
        }
    )


def show(result: Result, verdict: Verdict) -> None:
    console = stdout_console()
    console.print(
        f"{result.joined} of {result.clients} clients joined {result.rooms} rooms;"
        f" {result.sent} messages were sent, {result.received} came"
    )
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("ms", *SHOWN, "count"):
        table.add_column(title, justify="left" if title == "ms" else "right")
    for name, times in result.times.items():
        figures = (times.figure(shown) for shown in SHOWN)
        cells = ("-" if value is None else f"{value * 1000:.1f}" for value in figures)
        table.add_row(name, *cells, str(times.count))
    console.print(table)
    if "connected" in result.counts:
        counts = result.counts
        pairs = counts["connected"] + counts["unconnected"]
        receivers = counts["receiving"] + counts["silent"]
        console.print(
            f"{counts['connected']} of {pairs} pairs are connected, {counts['receiving']} of"
            f" {receivers} receivers heard their sender: {counts['packetsReceived']} packets,"
            f" {counts['packetsLost']} lost"
        )
    if result.server:
        said = ", ".join(f"{name} {value:g}" for name, value in result.server.items())
        console.print(f"the server: {said}")
    for outcome in verdict.outcomes:
        console.print(Text(str(outcome)))
    for failure in verdict.failures:
        console.print(Text(f"→ {printable(failure)}", "red"))
    if verdict.saturated:
        console.print(Text(f"→ {verdict.saturated}", "yellow"))
    console.print(_last_line(verdict))


def _last_line(verdict: Verdict) -> Text:
    if verdict.ok:
        return Text("Yes: every message came once, in order, and to whom it was for", "bold green")
    if verdict.ok is False:
        return Text("No: see →", "bold red")
    why = "this machine was too slow" if verdict.saturated else "it was broken off"
    return Text(f"No verdict: {why}", "bold yellow")
