"""Codecs: are they there, and how fast are they here?

Encoder and decoder are those of a call, on the picture and the sound of `testsrc`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import NamedTuple

import av

from ..media.decoder import Decoder
from ..media.encoder import make_encoder
from ..media.source import AUDIO_CLOCK, AUDIO_SAMPLES, VIDEO_CLOCK, VIDEO_TIME_BASE, Kind
from ..media.sources.file import sound_frame
from ..media.sources.testcard import Beeps, TestCard
from .blocking import in_thread
from .findings import Finding, Status, failed, ok

SIZE = (640, 360)
FPS = 30
LONGEST = 0.4  # seconds of measuring, for each encoder and each decoder
ENOUGH = 300  # frames
CARDS = 30  # pictures, shown over and over: making them is not to be measured

_REAL_TIME = {"video": FPS, "audio": AUDIO_CLOCK // AUDIO_SAMPLES}  # frames a second
_REINSTALL = "install the wheel of av, which has it: pip install --force-reinstall av"


class Codec(NamedTuple):
    title: str
    kind: Kind


CODECS = {
    "H264": Codec("H.264 640×360", "video"),
    "VP8": Codec("VP8 640×360", "video"),
    "opus": Codec("Opus", "audio"),
}

Frame = av.VideoFrame | av.AudioFrame


@dataclass(frozen=True, slots=True)
class Speed:
    """`seconds` by the wall clock, `cpu` of this process."""

    frames: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.frames / self.seconds

    @property
    def rate_alone(self) -> float:
        """Frames a second, if the processor did nothing else."""
        return self.frames / max(min(self.cpu, self.seconds), 1e-6)


async def find_codec(codec: str) -> list[Finding]:
    """Takes about `2 * LONGEST` seconds."""
    name, kind = CODECS[codec]
    try:
        packets, encoding = await in_thread(_encode, codec, kind)
    except (av.FFmpegError, ValueError) as error:
        return [failed(name, f"FFmpeg here cannot encode it: {error}", _REINSTALL)]
    try:
        decoding = await _decode(codec, kind, packets)
    except (av.FFmpegError, ValueError) as error:
        return [failed(name, f"FFmpeg here cannot decode it: {error}", _REINSTALL)]
    return [judge_speed(name, kind, encoding, decoding)]


def judge_speed(name: str, kind: Kind, encoding: Speed, decoding: Speed) -> Finding:
    """Pure."""
    need = _REAL_TIME[kind]
    text = (
        f"encodes {encoding.rate:.0f} fps ({_times(encoding.rate / need)} real time), "
        f"decodes {decoding.rate:.0f} ({_times(decoding.rate / need)})"
    )
    values = {
        "encode": round(encoding.rate, 1),
        "decode": round(decoding.rate, 1),
        "realTime": need,
    }
    slow = [speed for speed in (encoding, decoding) if speed.rate < need]
    if not slow:
        return ok(name, text, values=values)
    if all(speed.rate_alone >= need for speed in slow):
        advice = "something else keeps this machine busy: try again when it is done"
        return Finding(name, Status.SATURATED, text, advice, values)
    advice = "use smaller pictures and fewer of them: --size 320x240 --fps 15"
    return failed(name, text, advice, values)


def _times(factor: float) -> str:
    return f"{factor:.0f} ×" if factor >= 10 else f"{factor:.1f} ×"


def _encode(codec: str, kind: Kind) -> tuple[list[bytes], Speed]:
    """Blocks. Raises `av.FFmpegError`, and `ValueError` where FFmpeg does not know the codec."""
    encoder = make_encoder(codec)
    frame_of = _pictures() if kind == "video" else _sounds()
    packets: list[bytes] = []
    first = frame_of(0)
    packets += map(bytes, encoder.encode(first, True))  # it opens with the first frame
    stopwatch = Stopwatch()
    for number in count(1):
        packets += map(bytes, encoder.encode(frame_of(number), False))
        if stopwatch.enough(number):
            break
    return packets, stopwatch.speed()


async def _decode(codec: str, kind: Kind, packets: list[bytes]) -> Speed:
    decoder = Decoder(kind, codec)
    try:
        stopwatch = Stopwatch()
        for number, packet in enumerate(packets, 1):
            if await decoder.decode(packet, number / _REAL_TIME[kind]) is None:
                raise ValueError("what was encoded is damaged")
            if stopwatch.enough(number):
                break
        return stopwatch.speed()
    finally:
        decoder.close()


class Stopwatch:
    def __init__(self) -> None:
        self._frames = 0
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def enough(self, frames: int) -> bool:
        self._frames = frames
        return frames >= ENOUGH or time.perf_counter() - self._started >= LONGEST

    def speed(self) -> Speed:
        seconds = time.perf_counter() - self._started
        return Speed(self._frames, seconds, time.process_time() - self._cpu)


def _pictures() -> Callable[[int], Frame]:
    card = TestCard(SIZE, Fraction(FPS))
    frames = [card.frame(number, 0.0) for number in range(CARDS)]

    def picture(number: int) -> av.VideoFrame:
        frame = frames[number % CARDS]
        frame.time_base = VIDEO_TIME_BASE
        frame.pts = number * VIDEO_CLOCK // FPS
        return frame

    return picture


def _sounds() -> Callable[[int], Frame]:
    beeps = Beeps(Fraction(FPS))

    def sound(number: int) -> av.AudioFrame:
        start = number * AUDIO_SAMPLES
        return sound_frame(beeps.samples(start, AUDIO_SAMPLES), start)

    return sound
