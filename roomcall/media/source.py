"""What a source of media is.

Rule 1. A source has one `kind`, "video" or "audio", and `recv()` gives its next frame when it is
        due.
Rule 2. All our sources stamp frames on one clock, the event loop's: `frame.time` is the
        `loop.time()` at which the frame is to be seen or heard. So picture and sound of a file
        agree, loops do not jump, and a change of source never turns time back.
Rule 3. Video frames are yuv420p with even width and height. Audio frames are packed s16, stereo,
        48 kHz, 960 samples (20 ms: one Opus packet).
Rule 4. A source that has ended raises `SourceEnded`, again and again.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from av import AudioFrame, Packet, VideoFrame

Kind = Literal["audio", "video"]

VIDEO_CLOCK = 90_000  # RFC 3551 section 4: the RTP clock of video, Hz
AUDIO_CLOCK = 48_000  # RFC 7587 section 4.1: the RTP clock of Opus, Hz
AUDIO_SAMPLES = 960  # a frame of 20 ms
VIDEO_TIME_BASE = Fraction(1, VIDEO_CLOCK)
AUDIO_TIME_BASE = Fraction(1, AUDIO_CLOCK)


class SourceEnded(Exception):
    """There are no more frames."""


class VideoSource(Protocol):
    """Gives yuv420p frames with even sizes, stamped with `loop.time()` in `VIDEO_TIME_BASE`."""

    kind: Literal["video"]

    async def recv(self) -> "VideoFrame":
        """The next frame, when it is due. Raises `SourceEnded`."""
        ...

    async def close(self) -> None: ...


class AudioSource(Protocol):
    """Gives 20 ms frames of 48 kHz stereo s16, stamped with `loop.time()` in `AUDIO_TIME_BASE`."""

    kind: Literal["audio"]

    async def recv(self) -> "AudioFrame":
        """The next frame, when it is due. Raises `SourceEnded`."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class PacketSource(Protocol):
    """Gives encoded packets, stamped in the same way: video in presentation order and Annex B where
    it is H.264. `codec` is RTP's name of it."""

    kind: Kind
    codec: str

    async def recv(self) -> "Packet[Any]":
        """The next packet, when it is due. Raises `SourceEnded`."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class LiveSource(PacketSource, Protocol):
    """Passes on what somebody sends, who can be asked for a key frame. `codec` is "" until it is
    known: then the other end of a connection chooses."""

    def request_key_frame(self) -> None: ...


Source: TypeAlias = VideoSource | AudioSource | PacketSource


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """What is asked of a picture: `size` in pixels (width, height), `fps`; None is as it comes."""

    size: tuple[int, int] | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What a peer is to send. Both may come from one file, on one clock."""

    video: VideoSource | PacketSource | None = None
    audio: AudioSource | PacketSource | None = None

    async def close(self) -> None:
        for source in (self.video, self.audio):
            if source is not None:
                await source.close()
