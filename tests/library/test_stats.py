"""Packets and frames, counted as RFC 3550 and W3C webrtc-stats have it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.stats import FrameCounter, Inbound, Outbound, PacketCounter


def counted(sequences: list[int], repairs: tuple[int, ...] = ()) -> PacketCounter:
    """A packet of 100 bytes each; `repairs` are those that come last, by retransmission."""
    counter = PacketCounter(90_000)
    for sequence in sequences:
        counter.add(sequence, 0, 100, 0.0, repair=False)
    for sequence in repairs:
        counter.add(sequence, 0, 100, 0.0, repair=True)
    return counter


@pytest.mark.parametrize(
    ("sequences", "lost"),
    [
        ([5], 0),
        ([5, 6, 7], 0),
        ([5, 7], 1),
        ([5, 9, 10, 12], 4),
        ([5, 7, 6], 0),
        ([5, 8, 6], 1),
        ([5, 6, 6, 7], 0),
        ([5, 7, 7], 1),
        ([65534, 65535, 0, 1], 0),
        ([65534, 1], 2),
        ([65534, 1, 65535], 1),
        ([65534, 0, 1, 65535], 0),
        ([5, 3, 4, 6], 0),  # late ones from before the first
    ],
)
def test_lost_is_what_is_missing(sequences: list[int], lost: int) -> None:
    counter = counted(sequences)
    assert counter.packets_lost == lost
    assert counter.packets_received == len(sequences)
    assert counter.bytes_received == 100 * len(sequences)


def test_a_retransmission_takes_a_packet_off_the_list() -> None:
    assert counted([5, 9]).packets_lost == 3
    assert counted([5, 9], repairs=(7,)).packets_lost == 2
    assert counted([5, 9], repairs=(7, 7, 6, 8)).packets_lost == 0
    assert counted([65533, 1], repairs=(65535, 0)).packets_lost == 1


def test_what_is_too_old_is_lost_for_good() -> None:
    counter = counted([0, 2])
    for sequence in range(3, 3000):
        counter.add(sequence, 0, 100, 0.0, repair=False)
    counter.add(2999 + 2, 0, 100, 0.0, repair=False)
    assert counter.packets_lost == 2
    counter.add(1, 0, 100, 0.0, repair=True)
    counter.add(3000, 0, 100, 0.0, repair=True)
    assert counter.packets_lost == 1


def test_a_new_stream_goes_on_counting_without_a_loss_between() -> None:
    counter = counted([10, 12])
    counter.continue_from(counted([5, 7]))
    assert (counter.packets_received, counter.packets_lost) == (4, 2)
    counter.add(6, 0, 100, 0.0, repair=True)  # of the old stream: it repairs nothing of the new
    assert counter.packets_lost == 2


@given(
    st.integers(0, 0xFFFF),
    st.integers(1, 400),
    st.randoms(use_true_random=False),
    st.floats(0, 0.5),
)
def test_any_loss_and_reordering(
    first: int, length: int, chance: random.Random, share: float
) -> None:
    arriving = [number for number in range(1, length + 1) if chance.random() >= share]
    arriving.sort(key=lambda number: number + chance.uniform(0, 30))
    numbers = [0, *arriving, length + 1]  # the ends arrive, so that all between is known
    counter = counted([(first + number) & 0xFFFF for number in numbers])
    assert counter.packets_lost == length - len(arriving)
    assert counter.packets_received == len(numbers)


def rfc3550_jitter(packets: list[tuple[int, float]], clock_rate: int) -> float:
    """See RFC 3550 section 6.4.1, in the units of the RTP clock as it stands there."""
    jitter = 0.0
    for (s1, r1), (s2, r2) in zip(packets, packets[1:], strict=False):
        difference = (r2 * clock_rate - r1 * clock_rate) - (s2 - s1)
        jitter += (abs(difference) - jitter) / 16
    return jitter / clock_rate


@given(
    st.lists(st.floats(0, 0.2), min_size=2, max_size=100),
    st.sampled_from([8000, 48_000, 90_000]),
)
def test_jitter_is_that_of_the_rfc(delays: list[float], clock_rate: int) -> None:
    packets = [
        (1000 + number * clock_rate // 50, number / 50 + delay)
        for number, delay in enumerate([delays[0], *delays])
    ]
    counter = PacketCounter(clock_rate)
    for number, (timestamp, now) in enumerate(packets):
        counter.add(number, timestamp, 100, now, repair=False)
    assert counter.jitter == pytest.approx(rfc3550_jitter(packets, clock_rate), abs=1e-9)


def test_evenly_spaced_packets_have_no_jitter_even_where_the_clock_wraps() -> None:
    counter = PacketCounter(90_000)
    for number in range(100):
        timestamp = (2**32 - 50 * 1800 + number * 1800) % 2**32
        counter.add(number, timestamp, 100, number / 50, repair=False)
    assert counter.jitter == pytest.approx(0.0, abs=1e-9)


def test_retransmissions_and_late_packets_are_no_jitter() -> None:
    counter = PacketCounter(90_000)
    for number in (0, 1, 3, 4):
        counter.add(number, number * 1800, 100, number / 50, repair=False)
    counter.add(2, 2 * 1800, 100, 0.5, repair=True)
    counter.add(5, 5 * 1800, 100, 0.6, repair=True)
    assert counter.jitter == pytest.approx(0.0, abs=1e-9)


def test_frames_of_the_last_second_are_the_rate() -> None:
    counter = FrameCounter()
    assert counter.rate(0.0) == 0
    for number in range(60):
        counter.add(number / 20, key_frame=number % 30 == 0)
    assert counter.rate(59 / 20) == 20
    assert counter.rate(59 / 20 + 0.51) == pytest.approx(10, abs=1)
    assert counter.rate(100.0) == 0
    assert (counter.frames_received, counter.key_frames) == (60, 2)


def frames_at(times: list[float]) -> FrameCounter:
    counter = FrameCounter()
    for time in times:
        counter.add(time, key_frame=False)
    return counter


@pytest.mark.parametrize(
    ("fps", "gap", "frozen"),
    [
        # max(3 times the average, the average + 150 ms)
        (30, 0.17, False),
        (30, 0.20, True),
        (10, 0.29, False),
        (10, 0.32, True),
        (2, 1.4, False),
        (2, 1.6, True),
    ],
)
def test_a_freeze_is_a_gap_far_above_the_average(fps: int, gap: float, frozen: bool) -> None:
    times = [number / fps for number in range(20)]
    counter = frames_at([*times, times[-1] + gap, times[-1] + gap + 1 / fps])
    assert counter.freeze_count == frozen
    assert counter.total_freezes_duration == pytest.approx(gap if frozen else 0.0)


def test_the_average_is_of_the_last_thirty_frames() -> None:
    slow = [float(number) for number in range(10)]
    fast = [slow[-1] + number / 50 for number in range(1, 31)]
    assert frames_at([*slow, *fast, fast[-1] + 0.3]).freeze_count == 1
    assert frames_at([*slow, *fast[:15], fast[14] + 0.3]).freeze_count == 0


def test_several_freezes_add_up() -> None:
    times, now = [0.0], 0.0
    for number in range(1, 100):
        now += 1.0 if number in (40, 80) else 0.04
        times.append(now)
    counter = frames_at(times)
    assert counter.freeze_count == 2
    assert counter.total_freezes_duration == pytest.approx(2.0)


def test_what_cannot_be_decoded_is_not_shown() -> None:
    counter = FrameCounter()
    for number in range(60):
        counter.add(number / 20, key_frame=False, shown=not 30 <= number < 45)
    assert counter.frames_received == 60
    assert counter.freeze_count == 1
    assert counter.total_freezes_duration == pytest.approx(16 / 20)
    assert counter.rate(59 / 20) == 15


def test_reports_have_the_names_of_w3c() -> None:
    video = Inbound("video", PacketCounter(90_000), frame_width=320, frame_height=240)
    video.codec, video.nack_count = "VP8", 2
    video.packets.add(1, 0, 100, 0.0, repair=False)
    video.packets.add(3, 0, 50, 0.0, repair=False)
    video.frames.add(0.5, key_frame=True)
    assert video.report(0.6) == {
        "packetsReceived": 2,
        "packetsLost": 1,
        "jitter": 0.0,
        "bytesReceived": 150,
        "framesReceived": 1,
        "nackCount": 2,
        "mimeType": "video/VP8",
        "framesPerSecond": 1.0,
        "keyFramesDecoded": 1,
        "freezeCount": 0,
        "totalFreezesDuration": 0.0,
        "pliCount": 0,
        "frameWidth": 320,
        "frameHeight": 240,
    }
    audio = Inbound("audio", PacketCounter(48_000)).report(0.0)
    assert "framesPerSecond" not in audio and audio["packetsReceived"] == 0
    outbound = Outbound("video", frames_sent=3, frames_dropped=1, nack_count=2).report()
    assert (outbound["framesSent"], outbound["framesDropped"]) == (3, 1)
    assert (outbound["nackCount"], outbound["packetsSent"]) == (2, 0)
