"""One clock for a peer's picture and sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.peer.playout import PlayoutClock

VIDEO, AUDIO = 90_000, 48_000
ARRIVAL = 500.0  # loop.time() of the first frame
NTP = 3.9e9  # the sender's clock then


def test_the_first_frame_of_either_kind_is_at_zero() -> None:
    for kind, rate in (("video", VIDEO), ("audio", AUDIO)):
        clock = PlayoutClock()
        assert clock.time(kind, rate, 123_456, ARRIVAL) == pytest.approx(0.0)
        assert clock.time(kind, rate, 123_456 + rate // 2, 999.0) == pytest.approx(0.5)


def test_until_a_report_arrival_ties_the_kinds_together() -> None:
    clock = PlayoutClock()
    clock.time("audio", AUDIO, 7000, ARRIVAL)
    assert clock.time("video", VIDEO, 1_000_000, ARRIVAL + 0.3) == pytest.approx(0.3)
    assert clock.time("video", VIDEO, 1_000_000 + VIDEO, ARRIVAL + 9) == pytest.approx(1.3)


@pytest.mark.parametrize("reported", [(), ("audio",), ("video",)])
def test_until_then_the_frame_that_was_least_delayed_has_to_do(reported: tuple[str, ...]) -> None:
    """A key frame is large, and often later than what follows it."""
    clock = PlayoutClock()
    clock.time("audio", AUDIO, 7000, ARRIVAL)
    clock.time("video", VIDEO, 1_000_000, ARRIVAL + 0.09)
    clock.time("video", VIDEO, 1_000_000 + VIDEO, ARRIVAL + 1)
    clock.time("audio", AUDIO, 7000 + AUDIO, ARRIVAL + 1)
    for kind, stamp in (("audio", 7000), ("video", 1_000_000)):
        if kind in reported:
            clock.report(kind, NTP, stamp)
    for seconds in (0, 1):
        assert clock.at("video", 1_000_000 + seconds * VIDEO) == pytest.approx(seconds)
        assert clock.at("audio", 7000 + seconds * AUDIO) == pytest.approx(seconds)


@pytest.mark.parametrize("order", [("video", "audio"), ("audio", "video")])
@pytest.mark.parametrize("late", [-0.3, 0.2, 0.8])
def test_after_the_reports_of_both_what_was_made_at_once_is_seen_at_once(
    order: tuple[str, str], late: float
) -> None:
    """The sound came `late` by comparison with the picture of the same moment."""
    clock = PlayoutClock()
    rates = {"video": VIDEO, "audio": AUDIO}
    starts = {"video": 1_000_000, "audio": 7000}
    for kind, delay in (("video", 0.0), ("audio", late)):
        clock.time(kind, rates[kind], starts[kind], ARRIVAL + delay)
    for kind in order:
        clock.report(kind, NTP, starts[kind])
    times = {
        kind: clock.time(kind, rates[kind], starts[kind] + 5 * rates[kind], ARRIVAL + 5)
        for kind in order
    }
    assert times["video"] == pytest.approx(times["audio"], abs=1e-5)
    # Whoever reports first keeps its time.
    assert times[order[0]] == pytest.approx(5.0 + (late if order[0] == "audio" else 0.0), abs=1e-5)


def test_reports_are_unwrapped_to_stand_near_the_latest_frame() -> None:
    clock = PlayoutClock()
    start = 5 * 2**32 - VIDEO  # a second before its 32 bits wrap
    clock.time("video", VIDEO, start, ARRIVAL)
    clock.time("audio", AUDIO, 0, ARRIVAL)
    clock.report("audio", NTP, 0)
    clock.report("video", NTP + 2.0, (start + 2 * VIDEO) % 2**32)
    assert clock.time("video", VIDEO, start + 3 * VIDEO, ARRIVAL) == pytest.approx(3.0, abs=1e-5)
    clock.report("video", NTP + 0.5, (start + VIDEO // 2) % 2**32)  # one that was late
    assert clock.time("video", VIDEO, start + 4 * VIDEO, ARRIVAL) == pytest.approx(4.0, abs=1e-5)


def test_drift_is_followed_smoothly() -> None:
    clock = PlayoutClock()
    clock.time("video", VIDEO, 0, ARRIVAL)
    clock.time("audio", AUDIO, 0, ARRIVAL)
    clock.report("video", NTP, 0)
    clock.report("audio", NTP, 0)
    off, steps, before = [], [], 0.0
    for second in range(1, 101):  # the sound card is slow by one in a thousand
        stamp = round(second * AUDIO * 0.999)
        clock.report("audio", NTP + second, stamp)
        time = clock.time("audio", AUDIO, stamp, ARRIVAL)
        off.append(second - time)
        steps.append(time - before)
        before = time
    assert 0 < off[-1] < 0.02  # without reports it would be off by 0.1
    assert all(step == pytest.approx(1.0, abs=0.005) for step in steps)


def test_a_jump_of_the_clock_is_followed_at_once() -> None:
    clock = PlayoutClock()
    clock.time("video", VIDEO, 0, ARRIVAL)
    clock.report("video", NTP, 0)
    clock.report("video", NTP + 11.0, VIDEO)
    assert clock.time("video", VIDEO, 2 * VIDEO, ARRIVAL + 2) == pytest.approx(12.0, abs=1e-5)


def test_frames_out_of_order_keep_their_own_time() -> None:
    clock = PlayoutClock()
    stamps = [0, 9000, 3000, 6000, 12_000]
    times = [clock.time("video", VIDEO, stamp, ARRIVAL) for stamp in stamps]
    assert times == pytest.approx([stamp / VIDEO for stamp in stamps])


def test_a_report_before_any_frame_does_nothing() -> None:
    clock = PlayoutClock()
    clock.report("video", NTP, 5)
    assert clock.time("video", VIDEO, 1000, ARRIVAL) == pytest.approx(0.0)


def test_a_new_stream_goes_on_with_the_clock() -> None:
    clock = PlayoutClock()
    clock.time("video", VIDEO, 1000, ARRIVAL)
    clock.report("video", NTP, 1000)
    clock.forget("video")
    # Another connection, with time stamps of its own; its sender's clock may be another one too.
    assert clock.time("video", VIDEO, 77, ARRIVAL + 10) == pytest.approx(10.0)
    clock.report("video", NTP + 1e6, 77)
    assert clock.time("video", VIDEO, 77 + VIDEO, ARRIVAL + 11) == pytest.approx(11.0)


def test_a_new_picture_is_set_by_the_sound_that_stayed() -> None:
    clock = PlayoutClock()
    clock.time("audio", AUDIO, 0, ARRIVAL)
    clock.time("video", VIDEO, 0, ARRIVAL)
    clock.report("audio", NTP, 0)
    clock.report("video", NTP, 0)
    clock.forget("video")
    clock.time("video", VIDEO, 5000, ARRIVAL + 10.4)  # made at 10, and late
    clock.report("video", NTP + 10, 5000)
    later = clock.time("video", VIDEO, 5000 + VIDEO, ARRIVAL + 11.4)
    assert later == pytest.approx(11.0, abs=1e-5)


@given(st.lists(st.one_of(st.integers(0, 200_000), st.floats(-3, 3)), max_size=60))
def test_time_never_goes_back_by_a_correction(steps: list[int | float]) -> None:
    """Integers: the next frame is so far on. Others: a report that is off by so many seconds."""
    clock = PlayoutClock()
    stamp = 1000
    latest = clock.time("video", VIDEO, stamp, ARRIVAL)
    for step in steps:
        if isinstance(step, float):
            clock.report("video", NTP + stamp / VIDEO + step, stamp % 2**32)
        else:
            stamp += step + 1
            time = clock.time("video", VIDEO, stamp, ARRIVAL)
            assert time >= latest
            latest = time
