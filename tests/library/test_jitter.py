"""The jitter buffer: in order, repaired, and over a hole that stays."""

import pytest
from aiortc.rtp import RtpPacket

from roomcall.peer.internals import jitter
from roomcall.peer.internals.jitter import JumpingBuffer


class Stream:
    """Pictures of three packets each, 20 ms apart, on a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: int = 0) -> None:
        self.now = 0.0
        self.jumps = 0
        self.asked = 0
        self.frames: list[int] = []
        monkeypatch.setattr(jitter.time, "monotonic", lambda: self.now)
        self._first = first
        self._buffer = JumpingBuffer(512, is_video=True, on_jump=self._jump)

    def _jump(self) -> None:
        self.jumps += 1

    def send(self, *numbers: int, after: float = 0.0) -> None:
        """Packets by their number in the stream."""
        self.now += after
        for number in numbers:
            packet = RtpPacket(
                sequence_number=(self._first + number) & 0xFFFF, timestamp=number // 3 * 1800
            )
            packet._data = b"data"
            ask, frame = self._buffer.add(packet)
            self.asked += ask
            while frame is not None:
                self.frames.append(frame.timestamp // 1800)
                frame = self._buffer.take()


@pytest.mark.parametrize("first", [0, 65530])
def test_what_comes_in_order_goes_on(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    stream = Stream(monkeypatch, first)
    stream.send(*range(31))
    assert stream.frames == list(range(10))
    assert (stream.jumps, stream.asked) == (0, 0)


def test_a_late_packet_repairs(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch)
    stream.send(0, 1, 2, 3, 5, 6)
    stream.send(7, 8, 9, after=0.3)
    assert stream.frames == [0]
    stream.send(4, after=0.1)
    stream.send(10, 11, 12, 13, 14, 15)
    assert stream.frames[:3] == [0, 1, 2] and not stream.jumps


@pytest.mark.parametrize("first", [0, 65500])
def test_after_a_hole_that_stays_it_jumps_to_a_whole_picture(
    monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    stream = Stream(monkeypatch, first)
    stream.send(*range(9), 10, 11, 12)
    assert stream.frames == [0, 1]  # whether the third is whole, packet 9 would tell
    stream.send(*range(13, 40), after=0.3)
    assert stream.frames == [0, 1]
    stream.send(40, after=0.3)  # in the middle of a picture: it goes on with the next one
    assert (stream.jumps, stream.asked) == (1, 1)
    stream.send(41, 9, *range(42, 52))
    assert stream.frames == [0, 1, 14, 15, 16]


def test_over_a_hole_that_cannot_be_repaired_it_jumps_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream(monkeypatch)
    stream.send(*range(10))
    stream.send(*range(3000, 3010), after=5.0)
    assert (stream.jumps, stream.asked) == (1, 1)
    assert stream.frames == [0, 1, 2, 1001, 1002]


@pytest.mark.parametrize("hole", [jitter.MAX_HOLE, 500])
def test_what_is_sent_again_after_a_jump_does_not_lead_back(
    monkeypatch: pytest.MonkeyPatch, hole: int
) -> None:
    stream = Stream(monkeypatch)
    stream.send(*range(9))
    first = 3 * (3 + hole // 3 + 1)
    stream.send(*range(first, first + 6), after=5.0)
    stream.send(*range(first - jitter.MAX_HOLE, first))
    stream.send(*range(first + 6, first + 16))
    assert stream.jumps == 1
    assert stream.frames == [0, 1, *range(first // 3 + 1, first // 3 + 5)]


def test_another_stream_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch, first=40_000)
    stream.send(*range(9))
    stream.send(*range(-30_000, -29_980))
    assert stream.frames[-3:] == [-9997, -9996, -9995]


def test_a_packet_of_another_stream_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch)
    stream.send(*range(9))
    stream.send(12_000)
    stream.send(*range(9, 28))
    assert stream.frames == [0, 1, *range(4, 9)]
    assert stream.asked == 2


def sound(*numbers: int, jumps: list[int]) -> list[list[int]]:
    """What each of these packets, a frame each, brings out."""
    buffer = JumpingBuffer(16, is_video=False, on_jump=lambda: jumps.append(1))
    given: list[list[int]] = []
    for number in numbers:
        packet = RtpPacket(sequence_number=number, timestamp=number * 960)
        packet._data = b"data"
        ask, frame = buffer.add(packet)
        assert not ask
        given.append([])
        while frame is not None:
            given[-1].append(frame.timestamp // 960)
            frame = buffer.take()
    return given


def test_an_outage_of_sound_is_jumped_over() -> None:
    jumps: list[int] = []
    given = sound(*range(5), *range(500, 505), jumps=jumps)
    assert given == [[number] for number in (*range(5), *range(500, 505))]
    assert jumps == [1]


def test_a_lost_packet_of_sound_holds_up_a_few_others_once() -> None:
    given = sound(0, 1, 3, 4, 5, 6, 7, 8, jumps=[])
    assert given == [[0], [1], [], [], [], [], [3, 4, 5, 6, 7], [8]]


def test_sound_out_of_order_is_put_in_order() -> None:
    assert sound(0, 2, 3, 1, 4, jumps=[]) == [[0], [], [], [1, 2, 3], [4]]


def test_a_picture_is_there_with_its_last_packet() -> None:
    """Which the marker says. Padding that follows it (RFC 3550 section 5.1) is no picture."""
    buffer = JumpingBuffer(512, is_video=True)
    given = []
    for number in (0, 2, 1, 3, 4, 5, 6, 7, 8):
        packet = RtpPacket(sequence_number=number, timestamp=number // 3, marker=number % 3 == 1)
        packet._data = b"" if number % 3 == 2 else b"data"
        _, frame = buffer.add(packet)
        if frame is not None:
            given.append((number, frame.timestamp, frame.data))
        assert buffer.take() is None
    assert given == [(1, 0, b"datadata"), (4, 1, b"datadata"), (7, 2, b"datadata")]


def test_of_pictures_that_one_packet_makes_whole_all_are_given() -> None:
    buffer = JumpingBuffer(512, is_video=True)
    given: list[list[int]] = []
    for number in (0, 2, 3, 4, 5, 1):
        packet = RtpPacket(sequence_number=number, timestamp=number // 2, marker=number % 2 == 1)
        packet._data = b"data"
        _, frame = buffer.add(packet)
        given.append([])
        while frame is not None:
            given[-1].append(frame.timestamp)
            frame = buffer.take()
    assert given == [[], [], [], [], [], [0, 1, 2]]
