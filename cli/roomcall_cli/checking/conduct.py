"""How a check goes: peers join, connect, are measured for a while, and leave.

Rule 1. It waits for what is to come as long as it can still come: for a pair until it is connected
        and has shown and said something, or has failed. Who waits has a limit.
Rule 2. Where a peer ends by itself, or nobody has a connection, there is nothing to measure.
Rule 3. The first peer leaves while the others look; then they do.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from roomcall.checking.runs import Member, Run

from .peers import Event, PeerProcess

FIRST_FRAME_TIMEOUT = 10.0  # seconds from when all is connected
SETTLING = 1.0  # seconds: then the rate of the last second is of a whole one
LEAVE_TIMEOUT = 3.0  # seconds in which the others have to see a leave
END_TIMEOUT = 8.0  # seconds that a peer may take to end
_LATE = 5.0  # seconds that statistics may be late


@dataclass(frozen=True, slots=True)
class Plan:
    """`arguments` are those of `roomcall join` for every peer. Times are in seconds."""

    names: Sequence[str]
    arguments: Sequence[str]
    secrets: Mapping[str, str]
    awaited: int
    timeout: float
    duration: float
    interval: float
    bundle: Path | None = None


class Progress(Protocol):
    """For people, meanwhile."""

    def now(self, text: str) -> None:
        """How far it is; takes the place of the last one."""

    def note(self, text: str) -> None:
        """What is to stay."""


class Conductor:
    """`runs` is what came of it."""

    def __init__(
        self, plan: Plan, on_event: Callable[[Run, Event], None], progress: Progress
    ) -> None:
        self.plan = plan
        self.complete = True
        self.others: dict[str, str] = {}  # names by client id, of who is none of ours
        self._on_event = on_event
        self._progress = progress
        self._changed = asyncio.Event()
        first = plan.names[0] if len(plan.names) > 1 else None
        self.peers = [
            PeerProcess(Run(name, leaves_first=name == first), self._see, self._changed.set)
            for name in plan.names
        ]

    @property
    def runs(self) -> list[Run]:
        return [peer.run for peer in self.peers]

    @property
    def missing(self) -> int:
        """Of those who were awaited."""
        return max(0, self.plan.awaited - len(self.others))

    async def stop(self) -> None:
        """End it early."""
        self.complete = False
        self._changed.set()

    async def conduct(self) -> None:
        try:
            for peer in self.peers:
                name = peer.run.name
                kept = [f"--bundle={self.plan.bundle / name}"] if self.plan.bundle else []
                arguments = ["join", f"--name={name}", *kept, *self.plan.arguments]
                await peer.start(arguments, self.plan.secrets)
            await self._until(self._is_connected, self.plan.timeout)
            await self._until(self._has_first_frames, FIRST_FRAME_TIMEOUT)
            self.others = dict(self._strangers())
            if any(run.of("peer-connected") for run in self.runs):
                await self._measure()
            await self._leave()
        finally:
            for peer in self.peers:
                peer.interrupt()
            await asyncio.gather(*(peer.end(END_TIMEOUT) for peer in self.peers))

    def _see(self, run: Run, event: Event) -> None:
        self._changed.set()
        self._on_event(run, event)

    @property
    def _is_over(self) -> bool:
        return not self.complete or any(peer.ended for peer in self.peers)

    async def _until(self, reached: Callable[[], bool], timeout: float) -> None:
        """Returns at the latest when it is over, or after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not reached() and not self._is_over:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _is_connected(self) -> bool:
        there = sum(bool(run.ids) for run in self.runs)
        strangers = dict(self._strangers())
        pairs = list(self._pairs())
        connected = sum(bool(run.of("peer-connected", other)) for run, other in pairs)
        count = len(self.runs) * (len(self.runs) - 1 + max(self.plan.awaited, len(strangers)))
        missing = self.plan.awaited - len(strangers)
        waiting = f", {missing} awaited" if missing > 0 else ""
        self._progress.now(
            f"{there} of {len(self.runs)} peers in the room{waiting}, "
            f"{connected} of {count} pairs connected"
        )
        settled = all(
            run.of("peer-connected", other) or run.of("peer-failed", other) for run, other in pairs
        )
        return there == len(self.runs) and missing <= 0 and len(pairs) == count and settled

    def _has_first_frames(self) -> bool:
        return all(
            run.of("first-frame", other, kind=track["kind"])
            for run, other in self._pairs()
            for track in run.of("track", other)
            if run.of("peer-connected", other)
        )

    async def _measure(self) -> None:
        await self._until(lambda: False, SETTLING)
        for run in self.runs:
            run.begin_measuring()
        self._progress.note(f"Measuring for {self.plan.duration:g} s …")
        count = max(2, round(self.plan.duration / self.plan.interval))
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.plan.duration

        def is_measured() -> bool:
            self._progress.now(f"measuring, {max(0, ends - loop.time()):.0f} s left")
            return all(len(run.stats) > count for run in self.runs)

        await self._until(is_measured, self.plan.duration + _LATE)
        for run in self.runs:
            run.end_measuring()

    async def _leave(self) -> None:
        first = self.peers[0]
        if self._is_over or not first.run.leaves_first:
            return
        self._progress.now("leaving")
        first.interrupt()
        member = Member(first.run.name, first.run.ids, frozenset())

        def is_seen() -> bool:
            return all(peer.run.of("member-left", member) for peer in self.peers[1:])

        try:
            async with asyncio.timeout(LEAVE_TIMEOUT):
                while not is_seen():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _strangers(self) -> Iterator[tuple[str, str]]:
        """Members that are there and none of ours, where such are awaited."""
        if not self.plan.awaited:
            return
        ours = frozenset().union(*(run.ids for run in self.runs))
        for run in self.runs:
            gone = {event["peer"] for event in run.of("member-left")}
            for event in run.of("member-joined"):
                if event["peer"] not in ours | gone:
                    yield event["peer"], event["name"] or event["peer"][:8]

    def _pairs(self) -> Iterator[tuple[Run, Member]]:
        others = [
            Member(name, frozenset({id}), frozenset())
            for id, name in dict(self._strangers()).items()
        ]
        for run in self.runs:
            for other in self.runs:
                if other is not run and other.ids:
                    yield run, Member(other.name, other.ids, frozenset())
            for member in others:
                yield run, member
