"""A jitter buffer that jumps: aiortc's waits for what will not come, 10 s long after an outage."""

import time
from collections.abc import Callable

from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

AUDIO_CAPACITY = 16  # packets in aiortc's buffer of sound
MAX_HOLE = 128  # packets: aiortc's history, so a longer hole cannot be repaired
# Seconds without a whole frame, while packets come: NACK and RTX have had their time.
PATIENCE = 0.5
MAX_LATE = 1024  # packets; what is further behind begins a new stream


class JumpingBuffer:
    """Over a hole too long to be repaired, or not repaired in time, to the next frame's beginning.

    For a picture the jump asks for a key frame.
    """

    def __init__(
        self, capacity: int, *, is_video: bool, on_jump: Callable[[], None] = lambda: None
    ) -> None:
        self._capacity = capacity
        self._is_video = is_video
        self._on_jump = on_jump
        self._buffer = JitterBuffer(capacity, is_video=is_video)
        self._whole_at: float | None = None
        self._highest: int | None = None
        self._torn: RtpPacket | None = None  # of the frame whose beginning was missed

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As aiortc's: whether to ask for a key frame, and a frame that is whole."""
        now = time.monotonic()
        if self._torn is not None:
            behind = _distance(self._torn.sequence_number, packet.sequence_number) < 0
            if behind or packet.timestamp == self._torn.timestamp:
                return False, None
            self._torn = None
        if self._is_late(packet):
            return False, None
        step = 1 if self._highest is None else _distance(self._highest, packet.sequence_number)
        if step > 0:
            self._highest = packet.sequence_number
        if step > MAX_HOLE:
            return self._jump(packet, now)
        ask, frame = self._buffer.add(packet)
        if frame is not None or self._whole_at is None:
            self._whole_at = now
        elif step > 0 and now - self._whole_at > PATIENCE:
            return self._jump(packet, now)
        return ask, frame

    def _is_late(self, packet: RtpPacket) -> bool:
        """It comes when it has been passed over: aiortc's would begin there again."""
        origin = self._buffer._origin
        return origin is not None and -MAX_LATE < _distance(origin, packet.sequence_number) < 0

    def _jump(self, packet: RtpPacket, now: float) -> tuple[bool, JitterFrame | None]:
        self._buffer = JitterBuffer(self._capacity, is_video=self._is_video)
        self._whole_at = now
        self._on_jump()
        if self._is_video:
            self._torn = packet
            return True, None
        return self._buffer.add(packet)


def _distance(one: int, other: int) -> int:
    """From one sequence number to another, with their wrap (RFC 3550 section A.1)."""
    step = (other - one) & 0xFFFF
    return step if step < 0x8000 else step - 0x10000
