"""Encoded frames to pictures and sounds, off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av

from .source import AUDIO_CLOCK, VIDEO_CLOCK, Kind

_LIBRARY = {
    "H264": "h264",
    "VP8": "libvpx",
    "opus": "libopus",
    "G722": "g722",
    "PCMU": "pcm_mulaw",
    "PCMA": "pcm_alaw",
}
_TELEPHONE_RATE = {"G722": 16_000, "PCMU": 8_000, "PCMA": 8_000}


class Decoder:
    """A decoder and its thread. Frames come out with `time` as given for their packet."""

    def __init__(self, kind: Kind, codec: str) -> None:
        self.codec = codec
        self._context = av.CodecContext.create(_LIBRARY[codec], "r")
        self._time_base = Fraction(1, VIDEO_CLOCK if kind == "video" else AUDIO_CLOCK)
        if isinstance(self._context, av.AudioCodecContext):
            self._context.sample_rate = _TELEPHONE_RATE.get(codec, AUDIO_CLOCK)
            self._context.layout = "mono" if codec in _TELEPHONE_RATE else "stereo"
            if codec == "opus":
                self._context.format = "s16"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"roomcall-decode-{codec}")

    async def decode(
        self, data: bytes, time: float
    ) -> list[av.VideoFrame] | list[av.AudioFrame] | None:
        """The frames in a packet; None where it is damaged."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._decode, data, time)

    def _decode(self, data: bytes, time: float) -> list[av.VideoFrame] | list[av.AudioFrame] | None:
        packet = av.Packet(data)
        packet.time_base = self._time_base
        packet.pts = packet.dts = round(time / self._time_base)
        try:
            frames = self._context.decode(packet)  # type: ignore[attr-defined]
        except av.FFmpegError:
            return None
        for frame in frames:
            frame.time_base = self._time_base
        return frames  # type: ignore[no-any-return]

    def close(self) -> None:
        self._thread.shutdown(wait=False)
