"""What comes by itself: cameras, microphones, the screen, streams and files at an address.

Rule 1. It is read and decoded in a thread of its own. What is read ahead is bounded; where one kind
        is full while the other waits, the oldest of it is dropped.
Rule 2. Once it could be opened it does not fail: it is opened again, less often each time, and a
        warning says so. A file at an address begins anew at its end, or ends it (`again`).
Rule 3. Time goes on over all of that: what comes after a pause or a new beginning is that much
        later.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from fractions import Fraction

import av
from av.container import InputContainer

from ...errors import SourceError
from ..clock import Clock
from ..source import Kind, SourceEnded, Sources, VideoOptions
from .adapted import AdaptedAudio, AdaptedVideo, Stamps
from .demuxer import choose_streams
from .inputs import Input

logger = logging.getLogger(__name__)

Frame = av.VideoFrame | av.AudioFrame

OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 5.0  # seconds
READ_AHEAD: dict[Kind, int] = {"video": 30, "audio": 100}  # frames
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before it is opened again
_MICROSECOND = Fraction(1, 1_000_000)


class LiveInput:
    """One input for up to two readers: `recv(kind)`. Made and used in one event loop."""

    def __init__(self, given: Input, kinds: set[Kind], *, again: bool) -> None:
        self.kinds: frozenset[Kind] = frozenset()
        self._given = given
        self._again = again
        self._readers = set(kinds & given.kinds)
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._arrived = asyncio.Event()
        self._frames: dict[Kind, deque[Frame]] = {kind: deque() for kind in self._readers}
        self._room = threading.Condition()
        self._closing = threading.Event()
        self._ended = False
        self._begun = time.monotonic()
        self._end = 0.0  # of what was read, in seconds since the beginning
        self._thread = threading.Thread(target=self._run, name="roomcall-live", daemon=True)

    async def open(self) -> None:
        """Raises `SourceError`."""
        self._thread.start()
        try:
            await asyncio.shield(self._opened)
        except BaseException:
            await self._stop()
            raise

    async def recv(self, kind: Kind) -> Frame:
        """The next frame, its time stamp on the input's clock. Raises `SourceEnded`."""
        frames = self._frames[kind]
        while not frames:
            if self._ended or kind not in self._readers:
                raise SourceEnded
            self._arrived.clear()
            await self._arrived.wait()
        with self._room:
            frame = frames.popleft()
            self._room.notify()
        return frame

    async def close(self, kind: Kind) -> None:
        """A reader has gone; the last one ends it."""
        self._readers.discard(kind)
        self._arrived.set()
        if not self._readers:
            await self._stop()

    async def _stop(self) -> None:
        self._closing.set()
        with self._room:
            self._room.notify()
        # FFmpeg looks at its time-out while it waits: that bounds this.
        await asyncio.to_thread(self._thread.join)

    # In the thread

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                with self._open() as container:
                    failures = 0
                    self._read(container)
                if not self._again:
                    break
            except (av.FFmpegError, OSError) as error:
                if not self._opened.done():
                    self._tell(self._fail, error)
                    return
                logger.warning("%s: %s; it is opened again", self._given.name, _reason(error))
            if self._closing.wait(_PAUSES[min(failures, len(_PAUSES) - 1)] if failures else 0):
                return
            failures += 1
        self._tell(self._finish)

    def _open(self) -> InputContainer:
        given = self._given
        return av.open(
            given.address,
            format=given.format,
            options=dict(given.options),
            timeout=(OPEN_TIMEOUT, READ_TIMEOUT),
        )

    def _read(self, container: InputContainer) -> None:
        chosen = {
            kind: stream
            for kind, stream in choose_streams(container).items()
            if kind in self._readers
        }
        if not self._opened.done():
            self._tell(self._succeed, frozenset(chosen))
        if not chosen:
            return
        kinds: dict[int, Kind] = {stream.index: kind for kind, stream in chosen.items()}
        shift: float | None = None
        for packet in container.demux(*chosen.values()):
            if self._closing.is_set():
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue  # damaged: the next one may do
            for frame in frames:
                if not isinstance(frame, av.VideoFrame | av.AudioFrame) or frame.time is None:
                    continue
                if shift is None:
                    shift = max(self._end, time.monotonic() - self._begun) - frame.time
                stamp = frame.time + shift
                frame.time_base, frame.pts = _MICROSECOND, round(stamp / _MICROSECOND)
                self._end = max(self._end, stamp)
                self._put(kinds[packet.stream_index], frame)

    def _put(self, kind: Kind, frame: Frame) -> None:
        frames = self._frames[kind]
        with self._room:
            while len(frames) >= READ_AHEAD[kind] and not self._closing.is_set():
                if kind not in self._readers:
                    return
                if any(not self._frames[other] for other in self._readers - {kind}):
                    frames.popleft()
                    break
                self._room.wait(0.1)
            frames.append(frame)
        self._tell(self._arrived.set)

    def _tell(self, callback: object, *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)  # type: ignore[arg-type]
        except RuntimeError:
            self._closing.set()  # the event loop has gone

    # In the event loop

    def _succeed(self, kinds: frozenset[Kind]) -> None:
        self.kinds = kinds
        if not self._opened.done():
            self._opened.set_result(None)

    def _fail(self, error: Exception) -> None:
        name = self._given.name
        text = f"{name} cannot be opened: {_reason(error)} — {self._given.advice}"
        if not self._opened.done():
            self._opened.set_exception(SourceError(name, text))

    def _finish(self) -> None:
        self._ended = True
        self._arrived.set()


class _LiveVideo(AdaptedVideo):
    def __init__(
        self, live: LiveInput, options: VideoOptions, clock: Clock, stamps: Stamps
    ) -> None:
        super().__init__(lambda: live.recv("video"), options, clock, stamps)
        self._live = live

    async def close(self) -> None:
        await super().close()
        await self._live.close("video")


class _LiveAudio(AdaptedAudio):
    def __init__(self, live: LiveInput, clock: Clock, stamps: Stamps) -> None:
        super().__init__(lambda: live.recv("audio"), clock, stamps)
        self._live = live

    async def close(self) -> None:
        await super().close()
        await self._live.close("audio")


async def open_live(
    given: Input,
    kinds: set[Kind],
    needed: set[Kind],
    options: VideoOptions,
    clock: Clock,
    *,
    again: bool,
) -> Sources:
    """Raises `SourceError`."""
    live = LiveInput(given, kinds, again=again)
    await live.open()
    missing = needed - live.kinds
    if missing or not live.kinds:
        for kind in kinds:
            await live.close(kind)
        names = {"video": "picture", "audio": "sound"}
        lacking = " and no ".join(names[kind] for kind in sorted(missing or kinds, reverse=True))
        raise SourceError(given.name, f"{given.name} has no {lacking} — name another source")
    for kind in kinds - live.kinds:
        await live.close(kind)
    stamps = Stamps(clock)
    return Sources(
        _LiveVideo(live, options, clock, stamps) if "video" in live.kinds else None,
        _LiveAudio(live, clock, stamps) if "audio" in live.kinds else None,
    )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
