"""A media file as a source: its picture and its sound, on one clock, pass after pass.

Rule 1. Packets are read and decoded in a thread a track (`ReadAhead`), never on the event loop.
Rule 2. The time of a frame is what the file says, counted from when somebody first asked: a frame
        that comes late does not shift the clock.
Rule 3. Where the machine is too slow, pictures are skipped, sound is not.
Rule 4. What cannot be decoded is skipped. A pass in which nothing could be is the last.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Literal, NamedTuple

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from ..clock import Timeline
from ..source import (
    AUDIO_CLOCK,
    AUDIO_SAMPLES,
    AUDIO_TIME_BASE,
    VIDEO_CLOCK,
    VIDEO_TIME_BASE,
    SourceEnded,
    VideoOptions,
)
from .conversion import PictureConverter, SoundConverter, copy_picture, slot_of
from .demuxer import Demuxer, FileEnded, Piece
from .readahead import ReadAhead
from .samples import Samples

logger = logging.getLogger(__name__)

HOLD = 0.2  # seconds after which a picture that stands still is sent again
_LATE = 0.2  # seconds: a picture that is later is skipped
_AT_LEAST = 1.0  # seconds: so often a picture is shown, however late
_RESERVE = 2048  # samples: two frames of AAC
_HOPELESS = 1.0  # seconds behind: the decoder goes on at the next key frame


class Picture(NamedTuple):
    """A picture to be shown `time` seconds after the start."""

    frame: av.VideoFrame
    time: float


class FileVideo:
    """The picture of a file. `frames_dropped` were skipped, because they would have come late."""

    kind: Literal["video"] = "video"

    def __init__(self, demuxer: Demuxer, timeline: Timeline, options: VideoOptions) -> None:
        self.frames_dropped = 0
        self._demuxer = demuxer
        self._timeline = timeline
        self._converter = PictureConverter(options.size)
        self._fps = options.fps
        # A wanted rate is kept by repetition; otherwise only a picture that stands is repeated.
        self._hold = 1 / options.fps if options.fps else HOLD
        self._patience = self._hold * (1.5 if options.fps else 2)
        self._pictures: deque[Picture] = deque()
        self._decoder = _Decoder(demuxer, "video")
        self._end = 0.0  # where a picture without a time stamp belongs
        self._slot = -1  # of the wanted rate, that was filled last
        self._lag = 0.0
        self._shown: Picture | None = None
        self._shown_at = 0.0
        self._ahead = ReadAhead(self._decode, "roomcall-file-video")

    async def prepare(self) -> None:
        """Decode the first picture. Raises `SourceEnded` where there is none."""
        await self._ahead.peek()

    async def recv(self) -> av.VideoFrame:
        timeline = self._timeline
        while True:
            picture = await self._ahead.peek()
            time = self._repetition(picture)
            if time is None:
                if picture is None:
                    self._ahead.take()
                    await timeline.sleep_until(timeline.elapsed() + HOLD)
                    continue
                time = picture.time
                if self._is_too_late(time):
                    self.frames_dropped += 1
                    self._ahead.take()
                    continue
            await self._wait(time)
            return self._show(picture, time)

    async def close(self) -> None:
        await self._ahead.close()
        self._demuxer.close("video")

    def _repetition(self, following: Picture | None) -> float | None:
        """When the last picture is to be shown again; None where another follows soon."""
        if self._shown is None:
            return None
        again = self._shown.time + self._hold
        behind = self._timeline.elapsed() - again
        if behind > _LATE:
            again += behind // self._hold * self._hold
        if following is None:
            return again
        if following.time - self._shown.time >= self._patience and again < following.time:
            return again
        return None

    def _is_too_late(self, time: float) -> bool:
        now = self._timeline.elapsed()
        self._lag = now - time
        return self._lag > _LATE and now - self._shown_at < _AT_LEAST

    async def _wait(self, time: float) -> None:
        # In steps, so that closing is noticed soon.
        clock, due = self._timeline.clock, self._timeline.origin + time
        while (now := clock.now()) < due:
            await clock.sleep_until(min(due, now + HOLD))
            if self._ahead.closed:
                raise SourceEnded

    def _show(self, picture: Picture | None, time: float) -> av.VideoFrame:
        if picture is not None and time == picture.time:
            frame = picture.frame
            self._ahead.take()
        else:
            assert self._shown is not None
            frame = copy_picture(self._shown.frame)
            if picture is None:
                self._ahead.take()
        frame.time_base = VIDEO_TIME_BASE
        frame.pts = round((self._timeline.origin + time) * VIDEO_CLOCK)
        self._shown = Picture(frame, time)
        self._shown_at = self._timeline.elapsed()
        return frame

    def _decode(self) -> Picture | None:
        """In the thread: the next picture, or None where there is nothing to read for now."""
        while not self._pictures:
            piece = self._decoder.read()
            if piece is None:
                return None
            stream = piece.stream
            assert isinstance(stream, VideoStream)
            stream.codec_context.skip_frame = "NONKEY" if self._lag > _HOPELESS else "DEFAULT"
            for frame in self._decoder.decode(piece):
                assert isinstance(frame, av.VideoFrame)
                with self._decoder.converting():
                    self._arrange(frame, piece, stream)
        return self._pictures.popleft()

    def _arrange(self, frame: av.VideoFrame, piece: Piece, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        time = self._end if frame.pts is None else piece.time(frame.pts)
        self._end = time + float(1 / rate)
        if self._fps:
            slot = slot_of(time, self._fps)
            if slot <= self._slot:
                return
            self._slot = slot
            time = slot / self._fps
        converted = self._converter.convert(frame, stream.sample_aspect_ratio)
        self._pictures.append(Picture(converted, time))


class FileAudio:
    """The sound of a file."""

    kind: Literal["audio"] = "audio"

    def __init__(self, demuxer: Demuxer, timeline: Timeline) -> None:
        self._demuxer = demuxer
        self._timeline = timeline
        self._decoder = _Decoder(demuxer, "audio")
        self._converter = SoundConverter()
        self._samples = Samples(_RESERVE)
        self._begins = True  # the next frame is the first one of a pass
        self._given = 0
        self._ahead = ReadAhead(self._decode, "roomcall-file-audio")

    async def prepare(self) -> None:
        """Decode the first sound. Raises `SourceEnded` where there is none."""
        await self._ahead.peek()

    async def recv(self) -> av.AudioFrame:
        sound = await self._ahead.peek()
        time = self._given / AUDIO_CLOCK
        await self._timeline.sleep_until(time)
        if self._ahead.closed:
            raise SourceEnded
        self._ahead.take()
        origin = round(self._timeline.origin * AUDIO_CLOCK)
        frame = sound_frame(sound, origin + self._given)
        self._given += AUDIO_SAMPLES
        return frame

    async def close(self) -> None:
        await self._ahead.close()
        self._demuxer.close("audio")

    def _decode(self) -> bytes:
        """In the thread: the next 20 ms. Silence where there is nothing to read for now."""
        samples = self._samples
        while (sound := samples.take()) is None:
            try:
                piece = self._decoder.read()
            except SourceEnded:
                samples.add(self._converter.flush())
                if not samples.finish():
                    raise
                continue
            if piece is None:
                samples.add_silence(AUDIO_SAMPLES)
                continue
            for frame in self._decoder.decode(piece):
                assert isinstance(frame, av.AudioFrame)
                with self._decoder.converting():
                    self._arrange(frame, piece)
            if piece.packet is None:
                self._begins = True
        return sound

    def _arrange(self, frame: av.AudioFrame, piece: Piece) -> None:
        if frame.pts is not None:
            time = piece.time(frame.pts)
            if self._begins or self._samples.is_off(time):
                self._samples.add(self._converter.flush())
                self._samples.align(time)
        self._begins = False
        self._samples.add(self._converter.convert(frame))


class _Decoder:
    """Decodes one stream; knows whether anything in it can be decoded."""

    def __init__(self, demuxer: Demuxer, kind: Literal["video", "audio"]) -> None:
        self._demuxer = demuxer
        self._kind: Literal["video", "audio"] = kind
        self._decoded = 0  # frames of this pass
        self._idle = False  # a whole pass has given nothing
        self._good = False  # something of it could be decoded
        self._warned = False

    def read(self) -> Piece | None:
        """The next piece. Raises `SourceEnded`."""
        if self._idle:
            raise SourceEnded
        try:
            return self._demuxer.next(self._kind)
        except FileEnded:
            raise SourceEnded from None

    def decode(self, piece: Piece) -> Iterator[av.VideoFrame | av.AudioFrame]:
        """The frames of a piece; at the end of a pass, those that are still in the decoder."""
        stream: VideoStream | AudioStream = piece.stream
        try:
            for frame in stream.decode(piece.packet):
                self._decoded += 1
                self._good = True
                yield frame
        except av.FFmpegError as error:
            # Where nothing at all can be decoded, whoever opens it says so.
            level = logging.DEBUG if self._warned or not self._good else logging.WARNING
            self._warned = self._warned or self._good
            reason = error.strerror
            logger.log(level, "%s is damaged, a part is skipped: %s", self._demuxer.path, reason)
        if piece.packet is None:
            self._idle = self._decoded == 0
            self._decoded = 0

    @contextmanager
    def converting(self) -> Iterator[None]:
        """Around the conversion of a frame: one that is impossible is so for the next one too."""
        try:
            yield
        except (av.FFmpegError, ValueError) as error:
            logger.warning("%s cannot be converted and ends: %s", self._demuxer.path, error)
            raise SourceEnded from error


def sound_frame(sound: bytes, pts: int) -> av.AudioFrame:
    """A frame of 20 ms from packed s16 stereo; `pts` in samples."""
    frame = av.AudioFrame("s16", "stereo", AUDIO_SAMPLES)
    frame.planes[0].update(sound)
    frame.sample_rate = AUDIO_CLOCK
    frame.time_base = AUDIO_TIME_BASE
    frame.pts = pts
    return frame
