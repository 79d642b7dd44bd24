"""A track of a file whose packets go out as they are: neither decoded nor encoded.

Rule 1. That needs a codec of WebRTC, pictures in the order of their time (no B-frames), a key frame
        every `MAX_KEY_FRAME_DISTANCE` (nobody can ask a file for one), 8 bit 4:2:0, square upright
        pixels, and no wish for another size, rate or bitrate. `why_not` says what is missing.
Rule 2. What the first seconds of a file show is taken for the whole.
Rule 3. H.264 goes out as Annex B with its parameter sets before each key frame (RFC 6184).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from ..clock import Timeline
from ..source import (
    AUDIO_TIME_BASE,
    VIDEO_TIME_BASE,
    Kind,
    SourceEnded,
    VideoOptions,
)
from .demuxer import Demuxer, FileEnded, choose_streams
from .readahead import ReadAhead

CODECS = {"h264": "H264", "vp8": "VP8", "opus": "opus"}  # FFmpeg's names to those of RTP
MAX_KEY_FRAME_DISTANCE = 2.5  # seconds
MAX_SOUND = 0.06  # seconds a packet of Opus may hold
_LOOK_AT = 10.0  # seconds of the file
_MAX_PACKETS = 2000
_STEP = 0.2  # seconds, after which a reader that waits looks whether it is closed


@dataclass(frozen=True, slots=True)
class Track:
    """What the first packets of a track show. Times are seconds."""

    codec: str
    pixels: str = "yuv420p"
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    in_order: bool = True
    key_frame_distance: float = 0.0
    longest: float = 0.0  # packet


@dataclass(frozen=True, slots=True)
class Passing:
    """What is asked of the encoding: `codec` is RTP's name, bitrates are bits a second. With
    `allowed` False nothing goes out as it is."""

    allowed: bool = True
    codec: str | None = None
    bitrates: Mapping[Kind, int | None] = field(default_factory=dict)


def why_not(track: Track, kind: Kind, options: VideoOptions, passing: Passing) -> str | None:
    """Why it cannot go out as it is, for people; None where it can."""
    if not passing.allowed:
        return "it is wished so"
    if track.codec not in CODECS:
        return f"{track.codec} is no codec of WebRTC here"
    if passing.bitrates.get(kind) is not None:
        return "another bitrate is wished for"
    if kind == "video" and passing.codec not in (None, CODECS[track.codec]):
        return "another codec is wished for"
    if track.codec == "opus":
        return None if track.longest <= MAX_SOUND else "its packets are too long"
    if options.size or options.fps:
        return "another size or rate is wished for"
    if not track.in_order:
        return "it has B-frames"
    if track.pixels not in ("yuv420p", "yuvj420p"):
        return f"its pixels are {track.pixels}"
    if track.rotation or track.aspect != 1:
        return "it has to be turned or stretched"
    if track.key_frame_distance > MAX_KEY_FRAME_DISTANCE:
        return f"its key frames are {track.key_frame_distance:.1f} s apart"
    return None


def look_at(path: str) -> dict[Kind, Track]:
    """The tracks of a file. Blocks."""
    try:
        return _look_at(path)
    except av.FFmpegError:
        return {}  # damaged: who decodes gets over it


def _look_at(path: str) -> dict[Kind, Track]:
    with av.open(f"file:{path}") as container:
        chosen = choose_streams(container)
        return {
            kind: _video_track(path, stream)
            if isinstance(stream, VideoStream)
            else Track(_codec_of(stream), longest=_longest(path, stream))
            for kind, stream in chosen.items()
        }


def _codec_of(stream: VideoStream | AudioStream) -> str:
    name: str = stream.codec_context.codec.canonical_name
    return name


def _packets(path: str, stream: VideoStream | AudioStream) -> "Iterable[av.Packet[Any]]":
    """Those of the first seconds."""
    with av.open(f"file:{path}") as container:
        own = container.streams[stream.index]
        for number, packet in enumerate(container.demux(own)):
            if packet.pts is None or number >= _MAX_PACKETS:
                return
            yield packet
            if float((packet.pts - (own.start_time or 0)) * packet.time_base) > _LOOK_AT:
                return


def _longest(path: str, stream: AudioStream) -> float:
    return max(
        (float((p.duration or 0) * p.time_base) for p in _packets(path, stream)), default=0.0
    )


def _video_track(path: str, stream: VideoStream) -> Track:
    codec = _codec_of(stream)
    if codec not in CODECS:
        return Track(codec)
    times: list[float] = []
    keys: list[float] = []
    in_order = not stream.codec_context.has_b_frames
    for packet in _packets(path, stream):
        assert packet.pts is not None
        time = float(packet.pts * packet.time_base)
        in_order = in_order and packet.pts == (packet.dts or packet.pts)
        in_order = in_order and (not times or time > times[-1])
        times.append(time)
        if packet.is_keyframe:
            keys.append(time)
    begins_whole = bool(keys) and keys[0] == times[0]
    distances = [b - a for a, b in zip(keys, [*keys[1:], *times[-1:]], strict=True)]
    with av.open(f"file:{path}") as container:
        frame = next(container.decode(container.streams[stream.index]), None)
    assert frame is None or isinstance(frame, av.VideoFrame)
    return Track(
        codec,
        frame.format.name if frame else "nothing",
        frame.rotation if frame else 0,
        stream.sample_aspect_ratio or Fraction(1),
        in_order,
        max(distances) if begins_whole else float("inf"),
    )


class _Packet(NamedTuple):
    """To be sent `time` seconds after the start; without packet: nothing to read for now."""

    packet: "av.Packet[Any] | None"
    time: float


class PassingSource:
    """Packets of a file when they are due, stamped as `source` says of frames."""

    def __init__(self, demuxer: Demuxer, timeline: Timeline, kind: Kind, codec: str) -> None:
        self.kind: Any = kind
        self.codec = CODECS[codec]
        self._demuxer = demuxer
        self._timeline = timeline
        self._time_base = VIDEO_TIME_BASE if kind == "video" else AUDIO_TIME_BASE
        self._filter: BitStreamFilterContext | None = None
        self._counted = 0  # packets of this pass
        self._ahead = ReadAhead(self._read, f"roomcall-file-{kind}")

    async def prepare(self) -> None:
        """Read the first packet. Raises `SourceEnded` where there is none."""
        await self._ahead.peek()

    async def recv(self) -> "av.Packet[Any]":
        while True:
            packet, time = await self._ahead.peek()
            if packet is None:
                await self._timeline.sleep_until(self._timeline.elapsed() + _STEP)
                self._ahead.take()
                continue
            await self._wait(time)
            self._ahead.take()
            packet.time_base = self._time_base
            packet.pts = packet.dts = round((self._timeline.origin + time) / self._time_base)
            return packet

    async def close(self) -> None:
        await self._ahead.close()
        self._demuxer.close(self.kind)

    async def _wait(self, time: float) -> None:
        # In steps, so that closing is noticed soon.
        clock, due = self._timeline.clock, self._timeline.origin + time
        while (now := clock.now()) < due:
            await clock.sleep_until(min(due, now + _STEP))
            if self._ahead.closed:
                raise SourceEnded

    def _read(self) -> _Packet:
        """In the thread."""
        while True:
            try:
                piece = self._demuxer.next(self.kind)
            except FileEnded:
                raise SourceEnded from None
            if piece is None:
                return _Packet(None, 0.0)
            if piece.packet is None:  # the end of a pass
                if not self._counted:
                    raise SourceEnded
                self._filter, self._counted = None, 0
                continue
            if piece.packet.pts is None:
                continue
            time = piece.time(piece.packet.pts)
            for packet in self._annex_b(piece.packet, piece.stream):
                self._counted += 1
                return _Packet(packet, time)

    def _annex_b(
        self, packet: "av.Packet[Any]", stream: VideoStream | AudioStream
    ) -> "list[av.Packet[Any]]":
        extradata = stream.codec_context.extradata
        if self.codec != "H264" or not extradata or extradata[0] != 1:
            return [packet]
        if self._filter is None:
            self._filter = BitStreamFilterContext("h264_mp4toannexb", stream)
        return self._filter.filter(packet)
