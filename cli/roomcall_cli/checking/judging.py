"""`--expect` of `roomcall join`: what one peer receives, judged at its end."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from roomcall.checking.runs import Run
from roomcall.checking.verdict import judge_received

from .telling import line_of

if TYPE_CHECKING:
    from roomcall import Event
    from roomcall.expectations import Expectation

_NEEDED = {"member-joined", "track", "peer-connected", "first-frame", "stats", "signaling-restored"}


class Judging:
    """`ok` is None as long as it has not ended."""

    def __init__(self, expectations: "Sequence[Expectation]") -> None:
        self.ok: bool | None = None
        self._expectations = expectations
        self._run = Run("you")
        self._run.begin_measuring()

    def see(self, event: "Event") -> None:
        if event.event in _NEEDED:
            self._run.add(event.to_dict())

    def end(self, tell: Callable[[str], None]) -> None:
        outcomes = judge_received(self._run, self._expectations)
        for outcome in outcomes:
            tell(line_of(outcome))
        self.ok = all(outcome.ok for outcome in outcomes)
