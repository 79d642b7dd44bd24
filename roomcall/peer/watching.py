"""Looks at and listens to what a peer sends, for `roomcall.media.content`."""

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

import av

from ..media.content import SAMPLES, Content

if TYPE_CHECKING:
    from .track import RemoteTrack

logger = logging.getLogger(__name__)

_INTERVAL = 0.2  # seconds between two pictures that are looked at


class Watching:
    """Of one peer: give it the tracks, and take the `report`. All of them are decoded for it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._content = Content()
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, track: "RemoteTrack") -> None:
        """Until it ends, or `close`."""
        work = self._see(track) if track.kind == "video" else self._hear(track)
        task = asyncio.create_task(work, name=f"roomcall-watch-{track.kind}")
        task.add_done_callback(_tell_failure)
        self._tasks.append(task)

    def report(self) -> dict[str, bool]:
        """`black`, `frozen`, `silent`, each where it is known."""
        return self._content.report(self._loop.time())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _see(self, track: "RemoteTrack") -> None:
        looked = float("-inf")
        async with aclosing(track.frames()) as frames:
            async for frame in frames:
                now = self._loop.time()
                if now - looked >= _INTERVAL:
                    looked = now
                    assert isinstance(frame, av.VideoFrame)
                    self._content.show(_luma(frame), now)

    async def _hear(self, track: "RemoteTrack") -> None:
        async with aclosing(track.frames()) as frames:
            async for frame in frames:
                assert isinstance(frame, av.AudioFrame)
                self._content.hear(_peak(frame), self._loop.time())


def _luma(frame: av.VideoFrame) -> bytes:
    """Samples of a planar 8 bit picture, in a grid over all of it."""
    columns, rows = SAMPLES
    plane = frame.planes[0]
    pixels = memoryview(plane)
    step = max(1, frame.width // columns)
    lines = (frame.height * (2 * row + 1) // (2 * rows) * plane.line_size for row in range(rows))
    return b"".join(bytes(pixels[line + step // 2 : line + frame.width : step]) for line in lines)


def _peak(frame: av.AudioFrame) -> int:
    """Of packed s16; one sample of three is enough, and is of both channels in turn."""
    count = frame.samples * frame.layout.nb_channels
    samples = memoryview(frame.planes[0]).cast("h")[:count].tolist()[::3]
    return max(map(abs, samples), default=0)


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("what a peer sends could not be looked at", exc_info=error)
