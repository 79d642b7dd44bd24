"""Which nodes are dead, seen by one of them, without comparing clocks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Seen:
    beats: int
    since: float


class Observer:
    """A node is dead that has not beaten for `lease` seconds in which this one has looked again and
    again, never more than `hole` seconds apart: who could not look has seen nobody stand still."""

    def __init__(self, lease: float, hole: float) -> None:
        self._lease = lease
        self._hole = hole
        self._looked = float("-inf")
        self._seen: dict[str, _Seen] = {}

    def look(self, now: float, beats: Mapping[str, int]) -> Iterable[str]:
        """These are the nodes: which of them are dead?"""
        if now - self._looked > self._hole:
            self._seen.clear()
        self._looked = now
        self._seen = {
            node: seen
            if (seen := self._seen.get(node)) is not None and seen.beats == count
            else _Seen(count, now)
            for node, count in beats.items()
        }
        return [node for node, seen in self._seen.items() if now - seen.since >= self._lease]
