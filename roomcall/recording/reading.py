"""What is in the files of a recording, on the clock of a composition: forwards only, once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from ..errors import SourceError
from ..media.source import AUDIO_CLOCK

_BYTES = 4  # a sample of stereo s16
_SNAP = 0.005  # seconds by which a sound may be off before it is moved: times are rounded


class Pictures:
    """Of one file, whose time 0 is at `offset` seconds."""

    def __init__(self, path: Path, offset: float) -> None:
        self._offset = offset
        self._container = _open(path)
        self._frames: Iterator[Any] = _decode(self._container, "video")
        self._next: av.VideoFrame | None = next(self._frames, None)
        self._now: av.VideoFrame | None = None

    def at(self, time: float) -> av.VideoFrame | None:
        """The one that is to be seen then; None before the first."""
        while self._next is not None and (self._next.time or 0.0) + self._offset <= time:
            self._now, self._next = self._next, next(self._frames, None)
        return self._now

    def close(self) -> None:
        self._container.close()


class Sounds:
    """Of one participant: its files one after the other, each with the offset of its time 0."""

    def __init__(self, files: Sequence[tuple[Path, float]]) -> None:
        self._pieces = self._read(files)
        self._start = 0  # samples from the beginning of the composition to that of `_held`
        self._held = bytearray()
        self._ended = False

    def take(self, end: int) -> bytes:
        """Packed stereo s16 up to a sample, with silence where there is nothing."""
        while not self._ended and self._start + len(self._held) // _BYTES < end:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            else:
                self._place(*piece)
        wanted = (end - self._start) * _BYTES
        taken = bytes(self._held[:wanted])
        del self._held[:wanted]
        self._start = end
        return taken + bytes(wanted - len(taken))

    def _place(self, position: int, sound: bytes) -> None:
        reached = self._start + len(self._held) // _BYTES
        if abs(position - reached) > _SNAP * AUDIO_CLOCK or not self._held:
            if position > reached:
                self._held.extend(bytes((position - reached) * _BYTES))
            else:
                sound = sound[(reached - position) * _BYTES :]
        self._held.extend(sound)

    def _read(self, files: Sequence[tuple[Path, float]]) -> Iterator[tuple[int, bytes]]:
        for path, offset in files:
            resampler = av.AudioResampler(format="s16", layout="stereo", rate=AUDIO_CLOCK)
            with _open(path) as container:
                for frame in _decode(container, "audio"):
                    position = round(((frame.time or 0.0) + offset) * AUDIO_CLOCK)
                    for sound in resampler.resample(frame):
                        data = bytes(sound.planes[0])[: sound.samples * _BYTES]
                        yield position, data
                        position += sound.samples


def _open(path: Path) -> InputContainer:
    """Raises `SourceError`."""
    try:
        return av.open(str(path))
    except OSError as error:  # FFmpeg's errors are among them
        raise SourceError(
            str(path), f"{path} cannot be read: {error.strerror} — take it out of the folder"
        ) from None


def _decode(container: Any, kind: str) -> Iterator[Any]:
    """What is damaged, such as the end of a file that was broken off, is left out."""
    for stream in container.streams:
        if stream.type == kind:
            for packet in container.demux(stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    continue
            return
