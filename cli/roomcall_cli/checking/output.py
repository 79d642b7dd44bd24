"""What a check gives on stdout: a report, or JSON lines."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from roomcall.checking.runs import Run
from roomcall.checking.verdict import Verdict
from roomcall.events import rfc3339

from ..lines import stdout_console
from ..output import unwritable, write_json
from .telling import report


class Lines:
    """For people: all of it at the end."""

    def event(self, run: Run, event: Mapping[str, Any]) -> None:
        pass

    def end(self, verdict: Verdict) -> None:
        console = stdout_console()
        try:
            for part in report(verdict):
                console.print(part)
        except OSError as error:
            raise unwritable(error) from None


class JsonLines:
    """The events of all peers on one clock, each with `self`: who saw it; then the verdict."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)

    def event(self, run: Run, event: Mapping[str, Any]) -> None:
        t = self._seconds(datetime.fromisoformat(event["at"]))
        write_json({**event, "t": t, "self": run.id})

    def end(self, verdict: Verdict) -> None:
        now = datetime.now(UTC)
        write_json(
            {"event": "verdict", "at": rfc3339(now), "t": self._seconds(now), **verdict.to_dict()}
        )

    def _seconds(self, time: datetime) -> float:
        return round((time - self._started).total_seconds(), 3)
