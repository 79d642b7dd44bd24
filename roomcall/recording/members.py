"""One participant of a recording: takes what its tracks bring to its plan."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from . import effects as e
from .plan import FilePlan

if TYPE_CHECKING:
    from ..peer.peer import Peer
    from ..peer.track import RemoteTrack

CarryOut = Callable[["RecordedMember", e.Effect], None]


class RecordedMember:
    """`place`: among the participants of the session. `numbers`: what the muxer knows its files by;
    `zeros`: their time 0 on the peer's clock, by those numbers."""

    def __init__(
        self, peer: "Peer", place: int, segment: float | None, carry_out: CarryOut
    ) -> None:
        self.peer = peer
        self.place = place
        self.plan = FilePlan(peer.clock, segment)
        self.numbers: dict[int, int] = {}
        self.zeros: dict[int, float] = {}
        self._trip = 0.0  # seconds, the shortest
        self._carry_out_one = carry_out
        self._now = asyncio.get_running_loop().time
        self._followed: dict[RemoteTrack, asyncio.Task[None]] = {}
        self._asking: asyncio.Task[None] | None = None

    def add(self, track: "RemoteTrack") -> None:
        """Write this from now on. May be called again."""
        if track not in self._followed:
            follow = self._follow(track)
            self._followed[track] = asyncio.create_task(follow, name="roomcall-record")
            self._carry_out(self.plan.announce(track.kind, track.codec, self._now()))

    def on_our_clock(self, time: float) -> float | None:
        """`loop.time()` of a time of its files, as it left the peer."""
        known = self.plan.drift.origin
        origin = self.peer.clock.origin if known is None else known
        return None if origin is None else time + origin - self._trip / 2

    async def measure(self) -> None:
        """How long its packets are on their way."""
        trip = (await self.peer.stats())["roundTripTime"]
        if trip is not None:
            self._trip = min(self._trip or trip, trip)

    async def close(self) -> None:
        """Nothing more comes: its files end."""
        tasks = [*self._followed.values(), *([self._asking] if self._asking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._carry_out(self.plan.end())

    async def _follow(self, track: "RemoteTrack") -> None:
        async with aclosing(track.packets()) as packets:
            async for frame in packets:
                self._carry_out(self.plan.frame(track.kind, track.codec, frame, self._now()))

    def _carry_out(self, effects: list[e.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, e.AskForKeyFrame):
                self._ask()
            else:
                self._carry_out_one(self, effect)

    def _ask(self) -> None:
        video = self.peer.video
        if video is not None and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(video.request_key_frame(), name="roomcall-ask")
