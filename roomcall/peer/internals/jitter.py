"""A jitter buffer that does not wait for nothing.

aiortc's gives a picture when the next one begins, a frame's length late, and of those that a late
packet has made whole one with each further packet; it waits as long as 10 s for what will not come.
"""

import time
from collections.abc import Callable

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

AUDIO_CAPACITY = 16  # packets in aiortc's buffer of sound
MAX_HOLE = 128  # packets: aiortc's history, so a longer hole cannot be repaired
MAX_AHEAD = 5  # packets of sound, which nobody sends again: 100 ms for what comes out of order
# Seconds without a whole frame, while packets come: NACK and RTX have had their time.
PATIENCE = 0.5
MAX_LATE = 1024  # packets; what is further behind begins a new stream


class JumpingBuffer:
    """Gives a frame when its last packet is there. It jumps over a hole that is too long to be
    repaired, or is not repaired in time, to the next frame's beginning.

    For a picture the jump asks for a key frame.
    """

    def __init__(
        self, capacity: int, *, is_video: bool, on_jump: Callable[[], None] = lambda: None
    ) -> None:
        self._capacity = capacity
        self._is_video = is_video
        self._on_jump = on_jump
        self._packets: dict[int, RtpPacket] = {}
        self._next: int | None = None  # the sequence number with which the next frame begins
        self._looked_at = 0  # so many packets from there on are there, and do not end it
        self._whole_at: float | None = None
        self._highest: int | None = None
        self._torn: RtpPacket | None = None  # of the frame whose beginning was missed

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """As aiortc's: whether to ask for a key frame, and a frame that is whole; `take` gives
        those that are whole beside it."""
        now = time.monotonic()
        number = packet.sequence_number
        if self._torn is not None:
            ahead = _distance(self._torn.sequence_number, number)
            if ahead <= -MAX_LATE:
                return self._jump(packet, now)
            if ahead < 0 or packet.timestamp == self._torn.timestamp:
                return False, None
            self._torn = None
        if self._next is None:
            self._next = number
        ahead = _distance(self._next, number)
        if -MAX_LATE < ahead < 0:
            return False, None  # it has been passed over
        step = 1 if self._highest is None else _distance(self._highest, number)
        if step > 0:
            self._highest = number
        if step > MAX_HOLE or ahead >= self._capacity or ahead <= -MAX_LATE:
            return self._jump(packet, now)
        self._packets[number] = packet
        if not self._is_video and ahead >= MAX_AHEAD:
            while self._next not in self._packets:
                self._next = (self._next + 1) & 0xFFFF
        frame = self.take()
        if frame is not None or self._whole_at is None:
            self._whole_at = now
        elif step > 0 and now - self._whole_at > PATIENCE:
            return self._jump(packet, now)
        return False, frame

    def take(self) -> JitterFrame | None:
        """The first frame, where it is whole: its last packet has the marker (RFC 6184 section 5.1,
        RFC 7741 section 4.1), or another frame begins. Each packet of sound is one (RFC 7587
        section 4.2)."""
        while self._next is not None:
            packet = self._packets.get((self._next + self._looked_at) & 0xFFFF)
            if packet is None:
                break
            if packet.timestamp == self._packets[self._next].timestamp:
                self._looked_at += 1
                if self._is_video and not packet.marker:
                    continue
            frame = self._give(self._next, self._looked_at)
            if frame.data:  # else it is padding alone
                return frame
        return None

    def _give(self, first: int, count: int) -> JitterFrame:
        packets = [self._packets.pop((first + place) & 0xFFFF) for place in range(count)]
        self._next = (first + count) & 0xFFFF
        self._looked_at = 0
        data = b"".join(packet._data for packet in packets)  # type: ignore[attr-defined]
        return JitterFrame(data, packets[0].timestamp)

    def _jump(self, packet: RtpPacket, now: float) -> tuple[bool, JitterFrame | None]:
        self._packets.clear()
        self._next = None
        self._looked_at = 0
        self._highest = packet.sequence_number
        self._whole_at = now
        self._on_jump()
        if self._is_video:
            self._torn = packet
            return True, None
        return self.add(packet)


def _distance(one: int, other: int) -> int:
    """From one sequence number to another, with their wrap (RFC 3550 section A.1)."""
    step = (other - one) & 0xFFFF
    return step if step < 0x8000 else step - 0x10000
