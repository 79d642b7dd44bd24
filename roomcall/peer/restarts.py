"""Restarts of ICE on a connection that is there (RFC 8445 section 9), for one pair. Pure.

Rule 1.  A path that is lost is sought again until it is back or the member leaves: every second for
         a minute, then every 10 s. Sending goes on meanwhile: the old path may come back by itself.
Rule 2.  The impolite side begins, the polite one where the other has not by then. Where both have
         offered, the polite side answers and forgets its own offer; if the other's was no restart,
         it offers its own again.
Rule 3.  An offer has `ANSWER_PATIENCE`, the checks of a restart have `CHECK_PATIENCE`, before the
         next one takes their place. Checks are repeated meanwhile, so that a path is tried about
         each second all the same.
Rule 4.  A restart that is wished for on a path that lives is tried again until it has found one.
         Where another is under way, it comes after that.
Rule 5.  Of several answers the last counts: where signals were held up, it is that to the last
         offer.
"""

from dataclasses import dataclass
from enum import Enum, auto

from .effects import (
    AbandonRestart,
    AcceptRestart,
    AnswerRestart,
    Effect,
    Report,
    Restart,
    SetTimer,
)

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
    again: bool = False  # another one after that which is under way
    unanswered: int = 0  # offers of ours; signals keep their order

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
        timer = self._next if self.stage is Stage.NONE else ANSWER_PATIENCE
        return [Report("connected"), SetTimer(timer)]

    @property
    def _next(self) -> float | None:
        """Until the next one, where none is under way."""
        if not (self.lost or self.wanted):
            return None
        return LATER_INTERVAL if self.count >= MANY else INTERVAL

    def want(self, call_id: str | None) -> list[Effect]:
        """Now, or after that which is under way: it may not say all that is new."""
        self.wanted = True
        self.again = self.stage is not Stage.NONE
        return [] if self.again else self.begin(call_id)

    def begin(self, call_id: str | None) -> list[Effect]:
        self.stage, self.ours, self.again = Stage.OFFERED, True, False
        self.count += 1
        self.unanswered += 1
        return [Restart(call_id), SetTimer(ANSWER_PATIENCE)]

    def signaling_back(self, call_id: str | None) -> list[Effect]:
        """What was said meanwhile comes late, and may name addresses that are no more."""
        return self.begin(call_id) if self.lost else []

    def timer(self, call_id: str | None) -> list[Effect]:
        """A restart is due, or the last one had its time."""
        if self.lost or self.wanted:
            return self.begin(call_id)
        self.stage = Stage.NONE
        return self._abandon()

    def ended(self, found: bool) -> list[Effect]:
        """The checks are over."""
        if self.stage is not Stage.CHECKING:
            return []
        self.stage = Stage.NONE
        if found:
            self.unanswered = 0
            self.wanted, self.count = self.again, 0
            if self.lost:
                return self.path_back()
        return [SetTimer(self._next)]

    def goes_first(self, *, polite: bool) -> bool:
        """Both have offered, and ours stands."""
        return self.unanswered > 0 and not polite

    def give_way(self, call_id: str | None) -> tuple[list[Effect], list[Effect]]:
        """To an offer that is no restart: what comes before its answer, and after."""
        abandoned = self._abandon()
        return abandoned, self.begin(call_id) if abandoned else []

    def _abandon(self) -> list[Effect]:
        unanswered, self.unanswered = self.unanswered, 0
        return [AbandonRestart()] if unanswered else []

    def on_offer(self, sdp: str, call_id: str | None) -> list[Effect]:
        """A restart of theirs, which serves as well as ours."""
        self.stage, self.ours, self.unanswered = Stage.CHECKING, False, 0
        self.count += 1
        return [AnswerRestart(sdp, call_id), SetTimer(CHECK_PATIENCE)]

    def on_answer(self, sdp: str) -> list[Effect]:
        self.stage, self.unanswered = Stage.CHECKING, max(0, self.unanswered - 1)
        return [AcceptRestart(sdp), SetTimer(CHECK_PATIENCE)]
