"""Reads the marks of `testsrc` in what a peer sends, where it sends them.

A track's frames are decoded for it as for any other consumer, from the first one on. Where the
first few have no mark it stops, and looks again at a key frame now and then: a peer may change its
source. Sound is decoded only while marks are read.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

import av

from ..media import marks
from ..media.decoder import Decoder
from ..media.measurement import Measurement, is_live

if TYPE_CHECKING:
    from .track import EncodedFrame, RemoteTrack

logger = logging.getLogger(__name__)

_LOOK_INTERVAL = 2.0  # seconds between two key frames that are looked at, at least


class Measuring:
    """Of one peer: give it the tracks, and take the `report`. `tied` says whether the time of its
    picture and its sound is on one clock yet."""

    def __init__(self, tied: Callable[[], bool]) -> None:
        self._tied = tied
        self._loop = asyncio.get_running_loop()
        self._measurement = Measurement()
        self._sees_marks = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, track: "RemoteTrack") -> None:
        """Until it ends, or `close`."""
        work = self._see(track) if track.kind == "video" else self._hear(track)
        task = asyncio.create_task(work, name=f"roomcall-measure-{track.kind}")
        task.add_done_callback(_tell_failure)
        self._tasks.append(task)

    def report(self) -> dict[str, float]:
        """`latency` and `avOffset` in seconds, each where it is known; `framesLost`; `freezes`.
        Nothing where the peer sends no `testsrc`."""
        return self._measurement.report(self._loop.time())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _see(self, track: "RemoteTrack") -> None:
        while not await self._read(track):
            async with aclosing(track.packets()) as packets:
                looked = self._loop.time()
                async for packet in packets:
                    now = self._loop.time()
                    if packet.keyframe and now - looked >= _LOOK_INTERVAL:
                        looked = now
                        if await self._has_mark(track.codec, packet):
                            break
                else:
                    return

    async def _read(self, track: "RemoteTrack") -> bool:
        """Measure until there are no marks (any more); True where the track has ended."""
        measurement = self._measurement = Measurement()
        async with aclosing(track.frames()) as frames:
            async for frame in frames:
                assert isinstance(frame, av.VideoFrame) and frame.time is not None
                mark = marks.read(frame)
                lit = mark is not None and marks.is_flash(frame)
                now = self._loop.time()
                measurement.see(mark, lit, frame.time, now, tied=self._tied())
                if measurement.is_testsrc:
                    self._sees_marks.set()
                if measurement.is_over:
                    self._sees_marks.clear()
                    self._measurement = Measurement()
                    return False
        return True

    async def _has_mark(self, codec: str, packet: "EncodedFrame") -> bool:
        decoder = Decoder("video", codec)
        try:
            frames = await decoder.decode(packet.data, packet.time)
        finally:
            decoder.close()
        now = self._loop.time()
        return any(
            isinstance(frame, av.VideoFrame)
            and (mark := marks.read(frame)) is not None
            and is_live(mark, now)
            for frame in frames or ()
        )

    async def _hear(self, track: "RemoteTrack") -> None:
        while await self._sees_marks.wait():
            async with aclosing(track.frames()) as frames:
                async for frame in frames:
                    if not self._sees_marks.is_set():
                        break
                    assert isinstance(frame, av.AudioFrame) and frame.time is not None
                    seconds = frame.samples / frame.sample_rate
                    onset = marks.beep_onset(frame)
                    now = self._loop.time()
                    self._measurement.hear(frame.time, seconds, onset, now, tied=self._tied())
                else:
                    return


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("a peer's test picture could not be read", exc_info=error)
