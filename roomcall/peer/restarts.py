"""Restarts of ICE on a connection that is there (RFC 8445 section 9), for one pair. Pure.

Rule 1.  A path that is lost is sought again until it is back or the member leaves: every second for
         a minute, then every 10 s. Sending goes on meanwhile: the old path may come back by itself.
Rule 2.  The impolite side begins, the polite one where the other has not by then. Where both have
         offered, the polite side answers and forgets its own offer.
Rule 3.  An offer has `ANSWER_PATIENCE`, the checks of a restart have `CHECK_PATIENCE`, before the
         next one takes their place. Checks are repeated meanwhile, so that a path is tried about
         each second all the same.
Rule 4.  A restart that is wished for on a path that lives is tried again until it has found one.
Rule 5.  Of several answers the last counts: where signals were held up, it is that to the last
         offer.
"""

from dataclasses import dataclass
from enum import Enum, auto

from .effects import AcceptRestart, AnswerRestart, Effect, Report, Restart, SetTimer

INTERVAL, LATER_INTERVAL = 1.0, 10.0
MANY = 60  # restarts, after which it is `LATER_INTERVAL`
CHECK_PATIENCE = 3.0
ANSWER_PATIENCE = 5.0


class Stage(Enum):
    NONE = auto()
    OFFERED = auto()  # our offer is out
    CHECKING = auto()  # both descriptions are there


@dataclass(slots=True)
class Restarts:
    lost: bool = False
    stage: Stage = Stage.NONE
    ours: bool = False  # who has offered
    wanted: bool = False  # on a path that lives
    count: int = 0  # since the path was lost

    @property
    def awaits_answer(self) -> bool:
        return self.ours and self.stage is not Stage.NONE

    def path_lost(self, call_id: str | None, *, polite: bool) -> list[Effect]:
        if self.lost:
            return []
        self.lost = True
        self.count = 0
        report = Report("disconnected")
        if self.stage is not Stage.NONE:
            return [report, SetTimer(CHECK_PATIENCE)]
        if polite:
            return [report, SetTimer(INTERVAL)]
        return [report, *self.begin(call_id)]

    def path_back(self) -> list[Effect]:
        if not self.lost:
            return []
        self.lost = False
        # A restart that is under way may still end; one that is never answered must be forgotten.
        timer = None if self.stage is Stage.NONE else ANSWER_PATIENCE
        return [Report("connected"), SetTimer(timer)]

    def want(self, call_id: str | None) -> list[Effect]:
        self.wanted = True
        return self.begin(call_id)

    def begin(self, call_id: str | None) -> list[Effect]:
        self.stage, self.ours = Stage.OFFERED, True
        self.count += 1
        return [Restart(call_id), SetTimer(ANSWER_PATIENCE)]

    def signaling_back(self, call_id: str | None) -> list[Effect]:
        """What was said meanwhile comes late, and may name addresses that are no more."""
        return self.begin(call_id) if self.lost else []

    def timer(self, call_id: str | None) -> list[Effect]:
        """A restart is due, or the last one had its time."""
        if self.lost or self.wanted:
            return self.begin(call_id)
        self.stage = Stage.NONE
        return []

    def ended(self, found: bool) -> list[Effect]:
        """The checks are over."""
        if self.stage is not Stage.CHECKING:
            return []
        self.stage = Stage.NONE
        if found:
            self.wanted = False
            return self.path_back() or [SetTimer(None)]
        if not (self.lost or self.wanted):
            return [SetTimer(None)]
        return [SetTimer(LATER_INTERVAL if self.count >= MANY else INTERVAL)]

    def on_offer(self, sdp: str, call_id: str | None, *, polite: bool) -> list[Effect]:
        """Nothing where ours goes before it."""
        if self.stage is Stage.OFFERED and not polite:
            return []
        self.stage, self.ours = Stage.CHECKING, False
        self.count += 1
        return [AnswerRestart(sdp, call_id), SetTimer(CHECK_PATIENCE)]

    def on_answer(self, sdp: str) -> list[Effect]:
        self.stage = Stage.CHECKING
        return [AcceptRestart(sdp), SetTimer(CHECK_PATIENCE)]
