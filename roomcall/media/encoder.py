"""Frames to packets: one encoder a track and codec, whatever the number of peers.

Encoders block: they are run in a thread (`fanout.Encoding`), never on the event loop.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from .rates import LOWER_LAYER
from .source import AUDIO_CLOCK, AUDIO_TIME_BASE, VIDEO_TIME_BASE

EncodedPacket: TypeAlias = "av.Packet[Any]"

DEFAULT_AUDIO_BITRATE = 64_000
# A picture of 640×360 at 30 fps looks well at this; others are given in proportion (`bitrate_for`).
_REFERENCE_BITRATE = 800_000
_REFERENCE_PIXEL_RATE = 640 * 360 * 30
_NOMINAL_FPS = 30
_KEY_FRAME_INTERVAL = 3000  # frames: key frames are made when somebody asks, not by the clock
_ONE_THREAD_UP_TO = 1280 * 720  # pixels; larger pictures take two


class Encoder(Protocol):
    """Encodes frames of one track. `encode` may give no packet, or several.

    `bitrate` may be set at any time; `top` is what it had to begin with, 0 before the first frame.
    """

    bitrate: int | None
    top: int

    def encode(
        self, frame: av.VideoFrame | av.AudioFrame, key_frame: bool
    ) -> list[EncodedPacket]: ...


def bitrate_for(width: int, height: int, fps: float = _NOMINAL_FPS) -> int:
    """Bits a second for a picture: more pixels need less each (exponent 0.75)."""
    share = width * height * fps / _REFERENCE_PIXEL_RATE
    return round(_REFERENCE_BITRATE * float(share**0.75))


def make_encoder(codec: str, bitrate: int | None = None, *, lower: bool = False) -> Encoder:
    """An encoder for an RTP codec name: `H264`, `VP8` or `opus`. `lower`: half the size."""
    match codec:
        case "H264":
            return VideoEncoder(_open_h264, bitrate, lower=lower, lowers_in_place=True)
        case "VP8":
            return VideoEncoder(_open_vp8, bitrate, lower=lower, lowers_in_place=False)
        case "opus":
            return OpusEncoder(bitrate or DEFAULT_AUDIO_BITRATE)
    raise ValueError(f"no encoder for {codec}")


class VideoEncoder:
    """Opens its codec with the first frame, and again where the size changes.

    x264 is opened at its highest bitrate and lowered in place; libvpx, as FFmpeg has it, keeps its
    bitrate and is opened anew, which makes a key frame.
    """

    def __init__(
        self,
        open_codec: Callable[[int, int, int], VideoCodecContext],
        bitrate: int | None,
        *,
        lower: bool,
        lowers_in_place: bool,
    ) -> None:
        self.bitrate: int | None = None
        self.top = 0
        self._open_codec = open_codec
        self._wanted = bitrate
        self._lower = lower
        self._lowers_in_place = lowers_in_place
        self._context: VideoCodecContext | None = None

    def encode(self, frame: av.VideoFrame | av.AudioFrame, key_frame: bool) -> list[EncodedPacket]:
        assert isinstance(frame, av.VideoFrame)
        if self._lower:
            frame = frame.reformat(_half(frame.width), _half(frame.height))
        width, height = frame.width, frame.height
        context = self._context
        if context is None or (context.width, context.height) != (width, height):
            share = LOWER_LAYER if self._lower else 1
            self.top = round(share * self._wanted) if self._wanted else bitrate_for(width, height)
            context = self._context = self._open(width, height)
        elif self.bitrate not in (None, context.bit_rate):
            assert self.bitrate is not None
            if self._lowers_in_place:
                context.bit_rate = min(self.bitrate, self.top)
            else:
                context = self._context = self._open(width, height)
        # Always set: the frame may come from a decoder that left its own picture type there.
        frame.pict_type = PictureType.I if key_frame else PictureType.NONE
        return context.encode(frame)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        bitrate = self.top if self._lowers_in_place else min(self.bitrate or self.top, self.top)
        return self._open_codec(width, height, bitrate)


def _half(pixels: int) -> int:
    return max(2, pixels // 2 & ~1)


def _context(library: str, width: int, height: int, bitrate: int) -> VideoCodecContext:
    context = av.CodecContext.create(library, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = width, height
    context.pix_fmt = "yuv420p"
    context.time_base = VIDEO_TIME_BASE
    context.framerate = Fraction(_NOMINAL_FPS)
    context.bit_rate = bitrate
    context.gop_size = _KEY_FRAME_INTERVAL
    context.thread_count = 1 if width * height <= _ONE_THREAD_UP_TO else 2
    return context


def _open_h264(width: int, height: int, bitrate: int) -> VideoCodecContext:
    context = _context("libx264", width, height, bitrate)
    # Constrained baseline: what the SDP offers (42001f, 42e01f). maxrate == bit_rate makes it CBR.
    context.profile = "Baseline"
    context.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "maxrate": str(bitrate),
        "bufsize": str(bitrate),
    }
    return context


def _open_vp8(width: int, height: int, bitrate: int) -> VideoCodecContext:
    context = _context("libvpx", width, height, bitrate)
    context.qmin, context.qmax = 2, 56
    context.options = {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "minrate": str(bitrate),  # minrate == maxrate == bit_rate makes it CBR
        "maxrate": str(bitrate),
        "bufsize": str(bitrate),
        "overshoot-pct": "15",
        "undershoot-pct": "100",
        "static-thresh": "1",
        "noise-sensitivity": "0",
    }
    return context


class OpusEncoder:
    """Takes frames of 20 ms as sources give them; each becomes one packet."""

    def __init__(self, bitrate: int) -> None:
        self.bitrate: int | None = None
        self.top = bitrate
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.bit_rate = bitrate
        context.format = "s16"
        context.layout = "stereo"
        context.sample_rate = AUDIO_CLOCK
        context.time_base = AUDIO_TIME_BASE
        context.options = {"application": "audio", "frame_duration": "20"}
        self._context = context

    def encode(self, frame: av.VideoFrame | av.AudioFrame, key_frame: bool) -> list[EncodedPacket]:
        assert isinstance(frame, av.AudioFrame)
        return self._context.encode(frame)
