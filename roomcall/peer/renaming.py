"""Who is who after the server has forgotten everybody and gave new ids. Pure.

Rule 1. Everybody who was connected is a stray then, kept under the old id with media going on.
Rule 2. A stray tells its new id over its connection. Where the room has a member of that id, the
        two are one (`Same`).
Rule 3. While there are strays that have not told their new id, a member who comes waits `HOLD` for
        that; then it is somebody else (`Newcomer`).
Rule 4. Who was renamed is told (`Renamed`) when no stray is left, or after `PATIENCE`; later ones
        when they come.
Rule 5. A stray that is not back within `LOST_AFTER` is lost as soon as its path is dead.

Times are seconds on any clock. The caller carries out the effects in their order, and calls `tick`
now and then while it is `busy`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

HOLD = 2.0
PATIENCE = 5.0
LOST_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class Same:
    """The stray `old` and the member `new` are one."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """The member is nobody whom we know."""

    id: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """These have new ids."""

    ids: dict[str, str]


@dataclass(frozen=True, slots=True)
class StrayLost:
    """It has not come back, and its path is dead."""

    old: str


Effect = Same | Newcomer | Renamed | StrayLost


@dataclass(slots=True)
class Renaming:
    strays: set[str] = field(default_factory=set)
    held: dict[str, float] = field(default_factory=dict)  # until when
    _let_go: set[str] = field(default_factory=set)  # newcomers who may still turn out to be a stray
    _told: dict[str, str] = field(default_factory=dict)  # new ids by old ones
    _renamed: dict[str, str] = field(default_factory=dict)
    _begun: float = 0.0
    _reporting: bool = False

    @property
    def busy(self) -> bool:
        return bool(self.strays or self.held or self._reporting)

    def restart(self, connected: Iterable[str], now: float) -> list[Effect]:
        """The server has forgotten us; with these we are connected all the same."""
        self.strays = set(connected)
        self.held.clear()
        self._let_go.clear()
        self._renamed = {}
        self._begun, self._reporting = now, True
        return self._settled()

    def told(self, old: str, new: str) -> list[Effect]:
        """A peer says over its connection what its new id is, maybe before we are back."""
        self._told[old] = new
        return self._match(old) if old in self.strays else []

    def came(self, id: str, now: float) -> list[Effect]:
        """The room has this member."""
        for old in self.strays:
            if self._told.get(old) == id:
                self.held[id] = now
                return self._match(old)
        if all(stray in self._told for stray in self.strays):
            return [Newcomer(id)]
        self.held[id] = now + HOLD
        return []

    def left(self, id: str) -> None:
        """A member has left before it was known who it is, or a peer is gone for good."""
        self.held.pop(id, None)
        self._let_go.discard(id)
        self.strays.discard(id)
        self._told.pop(id, None)

    def tick(self, now: float, dead: Collection[str]) -> list[Effect]:
        """`dead`: peers whose path is."""
        effects: list[Effect] = []
        for id, until in list(self.held.items()):
            if until <= now:
                del self.held[id]
                self._let_go.add(id)
                effects.append(Newcomer(id))
        if now - self._begun >= LOST_AFTER:
            for old in sorted(self.strays & set(dead)):
                self.left(old)
                effects.append(StrayLost(old))
        if self._reporting and now - self._begun >= PATIENCE:
            effects += self._report()
        return effects + self._settled()

    def _match(self, old: str) -> list[Effect]:
        new = self._told[old]
        if new not in self.held and new not in self._let_go:
            return []
        self.held.pop(new, None)
        self._let_go.discard(new)
        del self._told[old]
        self.strays.discard(old)
        self._renamed[old] = new
        effects: list[Effect] = [Same(old, new)]
        if not self._reporting:
            effects += self._report()
        return effects + self._settled()

    def _settled(self) -> list[Effect]:
        """With no stray left everybody else is new."""
        if self.strays:
            return []
        effects: list[Effect] = [Newcomer(id) for id in self.held]
        self.held.clear()
        return (self._report() if self._reporting else []) + effects

    def _report(self) -> list[Effect]:
        renamed, self._renamed, self._reporting = self._renamed, {}, False
        return [Renamed(renamed)]
