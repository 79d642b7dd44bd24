"""What observations tell: latency, loss, freezes, the offset of picture and sound."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.media.marks import Mark
from roomcall.media.measurement import OLDEST, Measurement

FPS = 15
LATENCY = 0.125


def watch(
    measurement: Measurement,
    numbers: Iterable[int],
    *,
    unread: Iterable[int] = (),
    late: float = 0.0,
    tied: bool = True,
) -> float:
    """Frames of these numbers, each seen `LATENCY` after it was due, as is the lamp. `late`: on the
    clock of picture and sound. Returns the time of the last one."""
    now = 0.0
    for number in numbers:
        due = 1000 + number / FPS
        now = due + LATENCY
        mark = None if number in unread else Mark(number, due)
        measurement.see(mark, number % FPS < 2, due - 1000 + late, now, tied=tied)
    return now


def listen(measurement: Measurement, seconds: int, *, late: float = 0.0) -> float:
    """Sounds of 20 ms with a beep each second, heard as soon as they are over."""
    now = 0.0
    for index in range(seconds * 50):
        start = index / 50
        now = 1000 + start + LATENCY
        beeps = index % 50 < 5
        measurement.hear(start + late, 0.02, 0.0 if beeps else None, now, tied=True)
    return now


def test_latency_is_the_mean_of_the_last_second() -> None:
    measurement = Measurement()
    now = watch(measurement, range(30))
    assert measurement.report(now)["latency"] == pytest.approx(LATENCY, abs=0.001)
    measurement.see(Mark(30, now - 0.5), False, 2.0, now, tied=True)
    assert LATENCY < measurement.report(now)["latency"] < 0.25
    assert "latency" not in measurement.report(now + 1.5)


@pytest.mark.parametrize("age", [-1.0, OLDEST + 1, 10_000.0])
def test_a_recording_or_another_clock_is_no_testsrc(age: float) -> None:
    measurement = Measurement()
    for number in range(10):
        assert not measurement.is_over
        measurement.see(Mark(number, 1000.0 - age), False, 0.0, 1000.0, tied=True)
    assert measurement.is_over and not measurement.is_testsrc
    assert measurement.report(1000.0) == {}


def test_ten_pictures_without_a_mark_are_enough_but_not_after_some_with() -> None:
    measurement = Measurement()
    watch(measurement, range(9), unread=range(9))
    assert not measurement.is_over
    watch(measurement, [9])
    assert measurement.is_testsrc
    watch(measurement, range(10, 309), unread=range(10, 309))
    assert not measurement.is_over
    watch(measurement, [309], unread=[309])
    assert measurement.is_over


@given(st.sets(st.integers(1, 98)), st.sets(st.integers(1, 98)))
def test_what_is_missing_is_lost_and_what_cannot_be_read_is_not(
    lost: set[int], unread: set[int]
) -> None:
    measurement = Measurement()
    now = watch(measurement, [n for n in range(100) if n not in lost], unread=unread)
    # Whether a frame or one beside it was lost does not matter; how many were does.
    assert measurement.report(now)["framesLost"] == len(lost)


def test_numbers_that_begin_anew_and_frames_that_are_shown_again_are_no_loss() -> None:
    measurement = Measurement()
    watch(measurement, [40, 41, 41, 42])
    now = watch(measurement, [0, 1, 2])
    assert measurement.report(now)["framesLost"] == 0


def test_a_freeze_is_a_time_without_a_new_picture() -> None:
    measurement = Measurement()
    now = watch(measurement, range(30))
    assert measurement.report(now)["freezes"] == 0
    for step in range(1, 16):  # the same picture, again and again, for a second
        measurement.see(Mark(29, now - LATENCY), False, 2 + step / FPS, now + step / FPS, tied=True)
    now = watch(measurement, range(45, 60))
    assert measurement.report(now) == {"latency": LATENCY, "framesLost": 15, "freezes": 1}


@given(st.floats(-0.45, 0.45), st.booleans())
def test_the_offset_is_from_a_flash_to_its_beep(late: float, picture_first: bool) -> None:
    measurement = Measurement()
    frames: Iterator[int] = iter(range(5 * FPS))
    now = 0.0
    for second in range(5):  # one of the two comes later, as on a real way
        part = [next(frames) for _ in range(FPS)]
        if picture_first:
            now = watch(measurement, part)
        for index in range(second * 50, second * 50 + 50):
            onset = 0.0 if index % 50 < 5 else None
            measurement.hear(index / 50 + late, 0.02, onset, 1000 + index / 50 + LATENCY, tied=True)
        if not picture_first:
            now = watch(measurement, part)
    assert measurement.report(now)["avOffset"] == pytest.approx(late, abs=0.0001)


def test_an_offset_that_is_old_is_not_told() -> None:
    measurement = Measurement()
    listen(measurement, 2)
    now = watch(measurement, range(2 * FPS))
    assert measurement.report(now)["avOffset"] == 0.0
    assert "avOffset" not in measurement.report(now + 4)
    # Nor is there one without sound, or without a picture.
    assert "avOffset" not in measurement.report(watch(measurement, range(2 * FPS, 6 * FPS)))


def test_before_the_two_are_on_one_clock_there_is_no_offset() -> None:
    measurement = Measurement()
    listen(measurement, 3)
    now = watch(measurement, range(3 * FPS), tied=False)
    assert "avOffset" not in measurement.report(now)


def test_who_comes_in_the_middle_of_a_flash_or_a_beep_knows_no_beginning() -> None:
    measurement = Measurement()
    now = watch(measurement, [14, 16, 17])  # the first that is lit is not there
    for index in range(3, 10):
        measurement.hear(1 + index / 50, 0.02, 0.0 if index < 5 else None, now, tied=True)
    assert "avOffset" not in measurement.report(now)
    for missing, broken in ((50, 0), (0, 51)):  # a gap makes the next sound none, or half of one
        measurement = Measurement()
        now = watch(measurement, range(10, 20))
        for index in sorted({*range(20, 60)} - {missing}):
            beeps = 50 <= index < 55 and index != broken
            measurement.hear(index / 50, 0.02, 0.0 if beeps else None, now, tied=True)
        assert measurement.report(now).get("avOffset") == (None if missing else 0.0)
