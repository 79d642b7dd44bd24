"""Somebody's own source: an object with `kind` and `recv()`, or an asynchronous iterator of frames.

Rule 1. Its time stamps are kept, moved so that the first frame is now. A jump of them counts as no
        time at all. Frames without stamps come at `--fps`, else at 30 a second at most.
Rule 2. What it raises ends it. `StopAsyncIteration`, `SourceEnded` and the error that aiortc's
        tracks end with are an ordinary end; anything else is logged.
Rule 3. It stays its owner's: its frames are copied, and it is neither stopped nor closed.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import av

from ..clock import Clock
from ..source import (
    AUDIO_CLOCK,
    AUDIO_SAMPLES,
    VIDEO_CLOCK,
    VIDEO_TIME_BASE,
    Kind,
    SourceEnded,
    VideoOptions,
)
from .conversion import PictureConverter, SoundConverter, copy_picture, slot_of
from .file import sound_frame
from .samples import Samples

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[object]]

_BEHIND, _AHEAD = 1.0, 10.0  # seconds off the clock: further, a time stamp has jumped
_FPS = 30.0  # of pictures without time stamps


def receiver(source: object) -> Receive | None:
    """How to get the next frame of somebody's source; None where it is not one."""
    receive = getattr(source, "recv", None)
    if callable(receive) and hasattr(source, "kind"):
        return receive  # type: ignore[no-any-return]
    if isinstance(source, AsyncIterator):

        async def next_frame() -> object:
            return await anext(source)

        return next_frame
    return None


class _Frames:
    """Asks somebody's source for frames, until it ends or is closed."""

    def __init__(self, receive: Receive, kind: Kind) -> None:
        self._receive = receive
        self._kind = kind
        self._asking: asyncio.Future[object] | None = None
        self.ended = False

    async def next(self) -> object:
        """The next frame. Raises `SourceEnded`."""
        if self.ended:
            raise SourceEnded
        try:
            self._asking = asyncio.ensure_future(self._receive())
            return await self._asking
        except asyncio.CancelledError:
            if self.ended:
                raise SourceEnded from None
            raise
        except Exception as error:  # whatever somebody's code raises
            self.ended = True
            if not _is_ordinary_end(error):
                logger.warning("the %s source failed and ends: %r", self._kind, error)
            raise SourceEnded from None
        finally:
            self._asking = None

    def refuse(self, frame: object) -> SourceEnded:
        """End, because of a frame of another kind."""
        self.ended = True
        logger.warning("the %s source gave %r and ends", self._kind, type(frame).__name__)
        return SourceEnded()

    def close(self) -> None:
        self.ended = True
        if self._asking is not None:
            self._asking.cancel()


class Stamps:
    """Moves time stamps onto the event loop's clock; one for a picture and its sound."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None

    def place(self, stamp: float) -> float:
        now = self._clock.now()
        if self._offset is None or not -_BEHIND < stamp + self._offset - now < _AHEAD:
            self._offset = now - stamp
        return stamp + self._offset


class AdaptedVideo:
    kind: Literal["video"] = "video"

    def __init__(
        self,
        receive: Receive,
        options: VideoOptions,
        clock: Clock,
        stamps: Stamps | None = None,
    ) -> None:
        self._frames = _Frames(receive, "video")
        self._stamps = stamps or Stamps(clock)
        self._clock = clock
        self._fps = options.fps
        self._converter = PictureConverter(options.size)
        self._first: float | None = None
        self._due: float | None = None
        self._slot = -1  # of the wanted rate, that was filled last
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="roomcall-adapted-video")

    async def recv(self) -> av.VideoFrame:
        while True:
            frame = await self._frames.next()
            if not isinstance(frame, av.VideoFrame):
                raise self._frames.refuse(frame)
            due = self._place(frame)
            if self._first is None:
                self._first = due
            if self._fps:
                slot = slot_of(due - self._first, self._fps)
                if slot <= self._slot:
                    continue
                self._slot = slot
            picture = await self._convert(frame)
            self._due = due
            await self._clock.sleep_until(due)
            if self._frames.ended:
                raise SourceEnded
            picture.time_base = VIDEO_TIME_BASE
            picture.pts = round(due * VIDEO_CLOCK)
            return picture

    async def close(self) -> None:
        self._frames.close()
        self._thread.shutdown()

    def _place(self, frame: av.VideoFrame) -> float:
        before = self._due
        if frame.pts is None:
            step = 1 / (self._fps or _FPS)
            return max(self._clock.now(), before + step if before is not None else 0.0)
        due = self._stamps.place(frame.time)
        return due if before is None else max(due, before + 1 / VIDEO_CLOCK)

    async def _convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._frames.ended:
            raise SourceEnded
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._own_picture, frame)
        except (av.FFmpegError, ValueError) as error:
            self._frames.ended = True
            logger.warning("a frame of the video source cannot be converted: %s", error)
            raise SourceEnded from None

    def _own_picture(self, frame: av.VideoFrame) -> av.VideoFrame:
        picture = self._converter.convert(frame)
        return copy_picture(frame) if picture is frame else picture


class AdaptedAudio:
    kind: Literal["audio"] = "audio"

    def __init__(self, receive: Receive, clock: Clock, stamps: Stamps | None = None) -> None:
        self._frames = _Frames(receive, "audio")
        self._stamps = stamps or Stamps(clock)
        self._clock = clock
        self._converter = SoundConverter()
        self._samples = Samples()
        self._origin: float | None = None
        self._given = 0

    async def recv(self) -> av.AudioFrame:
        while (sound := self._samples.take()) is None:
            frame = await self._frames.next()
            if not isinstance(frame, av.AudioFrame):
                raise self._frames.refuse(frame)
            self._add(frame)
        assert self._origin is not None
        await self._clock.sleep_until(self._origin + self._given / AUDIO_CLOCK)
        if self._frames.ended:
            raise SourceEnded
        taken = sound_frame(sound, round(self._origin * AUDIO_CLOCK) + self._given)
        self._given += AUDIO_SAMPLES
        return taken

    async def close(self) -> None:
        self._frames.close()

    def _add(self, frame: av.AudioFrame) -> None:
        now = self._clock.now()
        if self._origin is None:
            self._origin = now
        counted = self._origin + self._samples.written / AUDIO_CLOCK
        if frame.time is not None:
            place = self._stamps.place(frame.time)
        else:
            place = now if now - counted > _BEHIND else counted
        try:
            if self._samples.is_off(place - self._origin):
                self._samples.add(self._converter.flush())
                self._samples.align(place - self._origin)
            self._samples.add(self._converter.convert(frame))
        except (av.FFmpegError, ValueError) as error:
            self._frames.ended = True
            logger.warning("a frame of the audio source cannot be converted: %s", error)
            raise SourceEnded from None


def _is_ordinary_end(error: Exception) -> bool:
    if isinstance(error, StopAsyncIteration | SourceEnded):
        return True
    # Who raises it has imported aiortc; we need not.
    aiortc = sys.modules.get("aiortc.mediastreams")
    return aiortc is not None and isinstance(error, aiortc.MediaStreamError)
