"""Small real media files for tests, benchmarks and trying out.

Each picture carries its number and its time as a mark (`roomcall.media.marks`); a flash and a beep
begin every second.
"""

from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from ..media.source import AUDIO_CLOCK, AUDIO_TIME_BASE
from ..media.sources.testcard import Beeps, TestCard, even

_UPRIGHT_TO_STORED = {90: ("clock",), 180: ("clock", "clock"), 270: ("cclock",)}


def make_video(
    path: str | Path,
    *,
    seconds: float = 4,
    fps: float | Fraction = 25,
    size: tuple[int, int] = (640, 360),
    codec: str = "libx264",
    bframes: int = 2,
    gop: int = 50,
    bitrate: int | None = None,
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    audio: str | None = "aac",
    audio_seconds: float | None = None,
    start: float = 0,
    frames: Collection[int] | None = None,
) -> Path:
    """Make a video file; the container is what the suffix of `path` says.

    Without options it is an ordinary mp4: H.264 with B-frames, and AAC.

    Args:
        size: pixels as displayed, after rotation.
        codec: an encoder of FFmpeg's (`libx264`, `libvpx`, `mpeg4`, `prores_ks`, …).
        bframes: between two other frames, at most; ignored by codecs that have none.
        gop: frames from one key frame to the next, at most.
        bitrate: bits a second; None for a constant quality or the codec's own default.
        rotation: degrees counter-clockwise that a player has to turn the picture by.
        audio: an encoder of FFmpeg's (`aac`, `libopus`, …), or None for no sound.
        audio_seconds: length of the sound; None for that of the picture.
        start: seconds at which the time stamps begin.
        frames: the numbers of the frames to keep, so that the rate varies; None for all.
    """
    rate = Fraction(fps).limit_denominator(1001)
    count = round(seconds * rate)
    with av.open(str(path), "w") as container:
        picture = container.add_stream(codec, rate=rate)
        assert isinstance(picture, VideoStream)
        quarter_turned = rotation % 180 == 90
        picture.width, picture.height = (size[1], size[0]) if quarter_turned else size
        picture.pix_fmt = pix_fmt
        picture.gop_size = gop
        picture.thread_count = 1  # the same bytes on every machine
        if bitrate is not None:
            picture.bit_rate = bitrate
        if codec in ("libx264", "libx265"):
            picture.options = {"preset": "veryfast", "bf": str(bframes)}
        elif codec == "libvpx":
            picture.options = {"deadline": "realtime", "cpu-used": "-8"}
        elif codec == "mpeg4":
            picture.options = {"bf": str(bframes)}
        if rotation:
            picture.set_display_rotation(rotation)
        sound = _Sound(container, audio, rate, start) if audio else None

        card = TestCard(even(size), rate)
        turn = _turn(even(size), rotation)
        for number in range(count) if frames is None else sorted(frames):
            frame = turn(card.frame(number, float(number / rate)))
            frame = frame.reformat(picture.width, picture.height, pix_fmt)
            frame.time_base = 1 / rate
            frame.pts = number + round(start * rate)
            container.mux(picture.encode(frame))
            if sound and (audio_seconds is None or number / rate < audio_seconds):
                sound.write_until(float((number + 1) / rate))
        container.mux(picture.encode())
        if sound:
            sound.finish(seconds if audio_seconds is None else audio_seconds)
    return Path(path)


def make_sound(
    path: str | Path, *, seconds: float = 4, codec: str = "libopus", start: float = 0
) -> Path:
    """Make a file with sound only: a beep every second."""
    with av.open(str(path), "w") as container:
        _Sound(container, codec, Fraction(25), start).finish(seconds)
    return Path(path)


class _Sound:
    """The sound of one file, in the sample rate that its codec takes."""

    def __init__(self, container: OutputContainer, codec: str, fps: Fraction, start: float) -> None:
        stream = container.add_stream(codec, rate=AUDIO_CLOCK)
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        assert isinstance(context, AudioCodecContext)
        context.layout = "stereo"
        self._container = container
        self._stream = stream
        self._beeps = Beeps(fps)
        self._first = round(start * AUDIO_CLOCK)
        self._written = 0

    def write_until(self, seconds: float) -> None:
        end = round(seconds * AUDIO_CLOCK)
        while self._written < end:
            count = min(960, end - self._written)
            frame = av.AudioFrame("s16", "stereo", count)
            frame.sample_rate = AUDIO_CLOCK
            # The buffer of a plane is longer than its samples where it is aligned.
            samples = self._beeps.samples(self._written, count)
            memoryview(frame.planes[0])[: len(samples)] = samples
            frame.time_base = AUDIO_TIME_BASE
            frame.pts = self._first + self._written
            self._container.mux(self._stream.encode(frame))
            self._written += count

    def finish(self, seconds: float) -> None:
        self.write_until(seconds)
        self._container.mux(self._stream.encode())


def _turn(size: tuple[int, int], rotation: int) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Turns an upright picture to how it is stored."""
    if not rotation:
        return lambda frame: frame
    graph = Graph()
    buffer = graph.add_buffer(
        width=size[0],
        height=size[1],
        format=VideoFormat("yuv420p"),
        time_base=Fraction(1, AUDIO_CLOCK),
    )
    turns = [graph.add("transpose", name) for name in _UPRIGHT_TO_STORED[rotation % 360]]
    graph.link_nodes(buffer, *turns, graph.add("buffersink")).configure()

    def turn(frame: av.VideoFrame) -> av.VideoFrame:
        graph.push(frame)
        turned = graph.pull()
        assert isinstance(turned, av.VideoFrame)
        return turned

    return turn
