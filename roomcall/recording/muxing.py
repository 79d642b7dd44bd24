"""Frames into Matroska files, in a thread of its own: a slow disk delays no call.

Rule 1. What is written of a file is playable at any moment, but for its last second: clusters are
        short, and flushed.
Rule 2. At most `QUEUE` frames wait. What comes while it is full is refused, and whoever gave it
        hears so; beginnings and ends are never refused.
Rule 3. A file that fails is closed, and told once; the others go on.
"""

import io
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

from ..media.source import Kind
from .effects import Stream

logger = logging.getLogger(__name__)

QUEUE = 2048
BATCH = 0.05  # seconds in which frames gather: to wake for each of them costs more than to write it
_MILLISECONDS = Fraction(1, 1000)  # Matroska's own
# Pictures may be shown in another order than they come; decoding begins so much before (seconds).
_REORDERING = 0.3
_OPTIONS = {
    "cluster_time_limit": "900",  # ms
    "flush_packets": "1",
    "max_interleave_delta": "300000",  # µs for which one track waits for the other
    "avoid_negative_ts": "disabled",
}
_SOUND = {
    "opus": ("libopus", 48_000, "stereo"),
    "PCMU": ("pcm_mulaw", 8000, "mono"),
    "PCMA": ("pcm_alaw", 8000, "mono"),
}


@dataclass(slots=True)
class _File:
    path: Path
    container: OutputContainer
    streams: dict[Kind, Any]
    decoded: dict[Kind, int] = field(default_factory=dict)  # ms of the last packet, by dts


class Muxer:
    """Its callbacks run in its thread, with a file's number: `on_end` with its size in bytes,
    `on_failure` with why."""

    def __init__(
        self, on_end: Callable[[int, int], None], on_failure: Callable[[int, str], None]
    ) -> None:
        self._on_end = on_end
        self._on_failure = on_failure
        self._files: dict[int, _File] = {}
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # A daemon: a process that is told to end at once does not wait for a disk.
        self._thread = threading.Thread(target=self._run, name="roomcall-recording", daemon=True)
        self._thread.start()

    def begin(self, number: int, path: Path, streams: Sequence[Stream]) -> None:
        self._work.put(lambda: self._guard(number, lambda: self._open(number, path, streams)))

    def write(self, number: int, kind: Kind, data: bytes, time: float, keyframe: bool) -> bool:
        """False where it is refused."""
        if self._work.qsize() >= QUEUE:
            return False
        self._work.put(
            lambda: self._guard(number, lambda: self._mux(number, kind, data, time, keyframe))
        )
        return True

    def end(self, number: int) -> None:
        self._work.put(lambda: self._guard(number, lambda: self._close(number)))

    def save(self, number: int, path: Path, content: bytes) -> None:
        """Write a small file anew, as `replace_file` does."""
        self._work.put(lambda: self._guard(number, lambda: replace_file(path, content)))

    def close(self) -> None:
        """Finish what was given, and all files. Blocks: not for the event loop."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            if self._work.empty():
                time.sleep(BATCH)
        for number in list(self._files):
            self._guard(number, lambda number=number: self._close(number))  # type: ignore[misc]

    def _guard(self, number: int, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, ValueError) as error:  # FFmpeg's errors are among them
            logger.debug("file %d cannot be written", number, exc_info=True)
            self._drop(number)
            self._on_failure(number, getattr(error, "strerror", None) or str(error))

    def _open(self, number: int, path: Path, streams: Sequence[Stream]) -> None:
        path.touch(exist_ok=False)
        container = av.open(str(path), "w", format="matroska", options=_OPTIONS)
        file = self._files[number] = _File(path, container, {})
        for stream in streams:
            file.streams[stream.kind] = _add(container, stream)
        container.start_encoding()  # the header is written, so that a full disk shows

    def _mux(self, number: int, kind: Kind, data: bytes, time: float, keyframe: bool) -> None:
        if (file := self._files.get(number)) is None:  # it has failed
            return
        packet = av.Packet(data)
        packet.stream = file.streams[kind]
        packet.time_base = _MILLISECONDS
        shown = round(time * 1000)
        earliest = file.decoded.get(kind, shown - round(_REORDERING * 1000))
        file.decoded[kind] = packet.dts = max(earliest, shown - round(_REORDERING * 1000))
        packet.pts = max(shown, packet.dts)
        packet.is_keyframe = keyframe
        file.container.mux_one(packet)

    def _close(self, number: int) -> None:
        if (file := self._files.get(number)) is None:
            return
        file.container.close()
        del self._files[number]
        self._on_end(number, os.path.getsize(file.path))

    def _drop(self, number: int) -> None:
        if (file := self._files.pop(number, None)) is not None:
            with suppress(OSError, ValueError):
                file.container.close()


def _add(container: OutputContainer, stream: Stream) -> Any:
    if stream.kind == "audio":
        library, rate, layout = _SOUND[stream.codec]
        sound = container.add_stream(library, rate=rate, layout=layout)
        sound.time_base = _MILLISECONDS
        return sound
    if stream.codec == "H264":
        # What FFmpeg's parser makes of the key frame has the header that Matroska wants.
        with av.open(io.BytesIO(stream.header), format="h264") as parsed:
            picture = container.add_stream_from_template(parsed.streams.video[0], opaque=True)
        picture.time_base = _MILLISECONDS
        return picture
    assert stream.size is not None
    width, height = stream.size
    return container.add_mux_stream("vp8", width=width, height=height, time_base=_MILLISECONDS)


def replace_file(path: Path, content: bytes) -> None:
    """Whoever reads it sees the old one or the new one, whole."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    os.replace(beside, path)
