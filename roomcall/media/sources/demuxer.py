"""The packets of one file, for its picture and its sound alike, pass after pass.

Rule 1. Each stream has its own reader, in its own thread. Who needs a packet reads the file on, and
        leaves what belongs to the other in the other's queue.
Rule 2. A pass is one time through the file. All streams begin the next one at the same instant: the
        end of the pass is the latest end of any packet in it, so nothing drifts apart.
Rule 3. For each pass the file is opened anew: that works for every format, also for those that
        cannot seek, costs milliseconds, and gives decoders without a past. The old one is closed
        when all readers are through with it.
Rule 4. Queues are bounded in bytes. Where the other's is full, there is nothing to read for now.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ..source import Kind

logger = logging.getLogger(__name__)

QUEUE_BYTES = 64 << 20
_BAD_READS = 100  # in a row: then the rest of the file is given up
_LONE_PICTURE = 60.0  # seconds that a pass lasts which consists of one picture alone
_ONE_THREAD_UP_TO = 1280 * 720  # pixels: decoding more than this is shared by threads


class FileEnded(Exception):
    """There are no more packets."""


@dataclass(slots=True)
class Pass:
    """One time through the file: it starts `base` seconds after the first one did."""

    base: float
    container: InputContainer
    streams: dict[int, VideoStream | AudioStream]
    readers: set[Kind]
    packets: "Iterator[av.Packet[Any]]"
    # The end of each stream so far, and how many packets it had.
    ends: dict[int, float] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """A packet, or None where a stream has come to the end of a pass."""

    packet: "av.Packet[Any] | None"
    stream: VideoStream | AudioStream
    # What is to be added to a time in this file, to be seconds since the first pass began.
    shift: float
    source: Pass

    def time(self, pts: int) -> float:
        """When a frame of this stream is due, in seconds since the first pass began."""
        # The frame's own time base is not always set.
        return float(pts * (self.stream.time_base or 0)) + self.shift


def choose_streams(container: InputContainer) -> dict[Kind, VideoStream | AudioStream]:
    """The picture and the sound of a file; neither the cover of a song nor a text is a picture."""
    chosen: dict[Kind, VideoStream | AudioStream] = {}
    if container.format.name == "tty":
        return chosen
    pictures = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic and _is_decodable(stream)
    ]
    sounds = [stream for stream in container.streams.audio if _is_decodable(stream)]
    streams: list[VideoStream | AudioStream] = [*pictures, *sounds]
    for stream in streams:
        kind: Kind = "video" if isinstance(stream, VideoStream) else "audio"
        if kind not in chosen or (
            stream.disposition & Disposition.default
            and not chosen[kind].disposition & Disposition.default
        ):
            chosen[kind] = stream
    return chosen


def _is_decodable(stream: VideoStream | AudioStream) -> bool:
    return stream.codec_context is not None  # None: this FFmpeg has no decoder for it


class Demuxer:
    """Reads one file for up to two readers. Every method may be called in any thread."""

    def __init__(self, path: str, kinds: set[Kind], *, loop: bool) -> None:
        """`self.kinds`: what the file has of `kinds`. Raises `av.FFmpegError` if unreadable."""
        self.path = path
        self._loop = loop
        self._lock = threading.Lock()
        self._ended = False
        self._warned = False
        self._wanted = set(kinds)
        self._pass = self._open(0.0)
        self.kinds = frozenset(self._pass.readers)
        self._queues: dict[Kind, deque[Piece]] = {kind: deque() for kind in self.kinds}
        self._bytes: dict[Kind, int] = dict.fromkeys(self.kinds, 0)
        self._open_passes = [self._pass]
        self._left: dict[Kind, Pass] = {}  # the pass whose end a reader was given last
        streams = self._pass.streams.values()
        starts = [
            float(stream.start_time * stream.time_base)
            for stream in streams
            if stream.start_time is not None and stream.time_base is not None
        ]
        self._start = min(starts, default=0.0)

    def next(self, kind: Kind) -> Piece | None:
        """The next piece of a stream; None where the other's queue is full. Raises `FileEnded`."""
        with self._lock:
            if kind in self._left:
                self._release(self._left.pop(kind), kind)
            queue = self._queues[kind]
            while not queue:
                if self._ended:
                    raise FileEnded
                if self._is_other_full(kind):
                    return None
                self._read(self._pass)
            piece = queue.popleft()
            if piece.packet is None:
                self._left[kind] = piece.source
            else:
                self._bytes[kind] -= piece.packet.size
            return piece

    def close(self, kind: Kind) -> None:
        """A reader has gone: nothing is kept for it. The last one closes the file."""
        with self._lock:
            self._wanted.discard(kind)
            self._queues.pop(kind, None)
            self._bytes.pop(kind, None)
            for opened in list(self._open_passes):
                self._release(opened, kind)

    def _release(self, opened: Pass, kind: Kind) -> None:
        opened.readers.discard(kind)
        if not opened.readers:
            self._open_passes.remove(opened)
            opened.container.close()

    def _open(self, base: float) -> Pass:
        # The prefix keeps FFmpeg from taking a colon in a name for a protocol.
        container = av.open(f"file:{self.path}")
        chosen = choose_streams(container)
        readers = self._wanted & chosen.keys()
        streams = {chosen[kind].index: chosen[kind] for kind in readers}
        for stream in streams.values():
            if isinstance(stream, VideoStream):
                large = stream.width * stream.height > _ONE_THREAD_UP_TO
                stream.thread_type = "AUTO" if large else "NONE"
        if not readers:
            container.close()
        packets = container.demux(*streams.values()) if readers else iter(())
        return Pass(base, container, streams, readers, packets)

    def _read(self, current: Pass) -> None:
        packet = self._next_packet(current)
        if packet is None:
            self._end(current)
            return
        stream = current.streams[packet.stream_index]
        index = packet.stream_index
        end = current.ends.get(index, self._start)
        base = packet.time_base
        stamp = packet.pts if packet.pts is not None else packet.dts
        began = end if stamp is None else float(stamp * base)
        current.ends[index] = max(end, began + float((packet.duration or 0) * base))
        current.counts[index] = current.counts.get(index, 0) + 1
        kind = _kind(stream)
        if kind in self._queues:
            self._queues[kind].append(Piece(packet, stream, current.base - self._start, current))
            self._bytes[kind] += packet.size

    def _next_packet(self, current: Pass) -> "av.Packet[Any] | None":
        for _ in range(_BAD_READS):
            try:
                packet = next(current.packets, None)
            except av.FFmpegError as error:
                logger.debug("%s: %s", self.path, error)
                current.packets = current.container.demux(*current.streams.values())
                continue
            # At the end PyAV gives one empty packet a stream, which would flush the decoder.
            if packet is None or packet.size or packet.pts is not None:
                return packet
        return None

    def _end(self, current: Pass) -> None:
        for stream in current.streams.values():
            kind = _kind(stream)
            if kind in self._queues:
                self._queues[kind].append(Piece(None, stream, current.base - self._start, current))
        is_lone_picture = current.counts == {
            stream.index: 1 for stream in current.streams.values() if _kind(stream) == "video"
        }
        # A picture that stands still has no end.
        if not (self._loop or is_lone_picture) or not current.counts:
            self._ended = True
            return
        length = max(current.ends.values()) - self._start
        if is_lone_picture:
            length = _LONE_PICTURE
        try:
            self._pass = self._open(current.base + length)
            self._open_passes.append(self._pass)
        except (av.FFmpegError, OSError) as error:
            logger.warning("%s cannot be read again and ends: %s", self.path, error)
            self._ended = True

    def _is_other_full(self, kind: Kind) -> bool:
        full = any(size > QUEUE_BYTES for other, size in self._bytes.items() if other != kind)
        if full and not self._warned:
            self._warned = True
            logger.warning(
                "%s: picture and sound lie too far apart to be played together, %s waits — "
                "remux the file (ffmpeg -i FILE -c copy NEW)",
                self.path,
                "sound" if kind == "audio" else "picture",
            )
        return full


def _kind(stream: VideoStream | AudioStream) -> Kind:
    return "video" if isinstance(stream, VideoStream) else "audio"
