"""Frames of any kind to what `source` asks for. A picture that is right already is not copied."""

from fractions import Fraction
from math import floor

import av
from av.audio.resampler import AudioResampler
from av.filter import Graph
from av.video.format import VideoFormat

from ..source import AUDIO_CLOCK
from .testcard import even

_FORMAT = "yuv420p"
_TURNS = {90: ("cclock",), 180: ("clock", "clock"), 270: ("clock",)}  # as `transpose` names them
_BYTES = 4  # a sample: s16, stereo


class PictureConverter:
    """To yuv420p, upright, of even size; to fit into `size` with black bars, where one is asked."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self._size = even(size) if size else None
        self._graph: Graph | None = None
        self._graph_input: tuple[int, int, str, int] | None = None

    def convert(self, frame: av.VideoFrame, aspect: Fraction | None = None) -> av.VideoFrame:
        """`aspect`: of a stored pixel, width to height; None for square ones."""
        rotation = frame.rotation % 360
        quarter = rotation // 90 * 90 if rotation % 90 == 0 else 0
        width, height = frame.width, frame.height
        if aspect:
            width = round(width * aspect)
        if quarter % 180:
            width, height = height, width
        target = self._size or even((width, height))
        picture = _fit((width, height), target) if self._size else target
        if quarter == 0 and picture == target:
            if (frame.width, frame.height, frame.format.name) == (*target, _FORMAT):
                return frame
            return frame.reformat(*target, format=_FORMAT)
        return self._filter(frame, quarter, picture, target)

    def _filter(
        self,
        frame: av.VideoFrame,
        quarter: int,
        picture: tuple[int, int],
        target: tuple[int, int],
    ) -> av.VideoFrame:
        key = (frame.width, frame.height, frame.format.name, quarter)
        if self._graph is None or self._graph_input != key:
            self._graph_input = key
            graph = self._graph = Graph()
            chain = [
                graph.add_buffer(
                    width=frame.width,
                    height=frame.height,
                    format=VideoFormat(frame.format.name),
                    time_base=Fraction(1, AUDIO_CLOCK),
                ),
                *(graph.add("transpose", turn) for turn in _TURNS.get(quarter, ())),
                graph.add("scale", f"{picture[0]}:{picture[1]}"),
                graph.add("format", _FORMAT),
                graph.add("pad", f"{target[0]}:{target[1]}:-1:-1"),
                graph.add("buffersink"),
            ]
            graph.link_nodes(*chain).configure()
        self._graph.push(frame)
        converted = self._graph.pull()
        assert isinstance(converted, av.VideoFrame)
        return converted


def _fit(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape within `target`; `target` itself where it nearly fits."""
    scale = min(target[0] / size[0], target[1] / size[1])
    fitted = even((round(size[0] * scale), round(size[1] * scale)))
    is_near = all(a >= 0.98 * b for a, b in zip(fitted, target, strict=True))
    return target if is_near else fitted


def slot_of(seconds: float, fps: float) -> int:
    """Which picture of a wanted rate one at this time is; only the first of a slot is wanted.

    A quarter of a slot early still counts: time stamps are rounded, and twice the rate is halved.
    """
    return floor(seconds * fps + 0.25)


def copy_picture(frame: av.VideoFrame) -> av.VideoFrame:
    """A frame of its own with the same picture."""
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, copy.planes, strict=True):
        pixels, written = memoryview(source), memoryview(target)
        if source.line_size == target.line_size:
            written[:] = pixels[: len(written)]
            continue
        for line in range(target.height):
            read, write = line * source.line_size, line * target.line_size
            written[write : write + target.width] = pixels[read : read + target.width]
    return copy


class SoundConverter:
    """To packed s16, stereo, 48 kHz."""

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._input: tuple[str, str, int] | None = None

    def convert(self, frame: av.AudioFrame) -> bytes:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        tail = b""
        if self._resampler is None or self._input != kind:
            tail = self.flush()
            self._input = kind
            self._resampler = AudioResampler("s16", "stereo", AUDIO_CLOCK)
        return tail + _join(self._resampler.resample(frame))

    def flush(self) -> bytes:
        """What is still held back. The next frame begins anew."""
        resampler, self._resampler = self._resampler, None
        return _join(resampler.resample(None)) if resampler else b""


def _join(frames: list[av.AudioFrame | None] | list[av.AudioFrame]) -> bytes:
    # The buffer of a plane may be longer than its samples. A resampler with nothing to do gives
    # back the None that it was flushed with.
    return b"".join(
        bytes(memoryview(frame.planes[0])[: frame.samples * _BYTES]) for frame in frames if frame
    )
