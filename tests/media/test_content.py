"""Black, frozen, silent: what is called so, and what is not."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.media.content import WINDOW, Content

PLACES = 384
BLACK, GREY = bytes([16]) * PLACES, bytes([128]) * PLACES


def moving(count: int) -> list[bytes]:
    return [bytes((3 * i + place) % 200 + 30 for place in range(PLACES)) for i in range(count)]


def shown(pictures: Iterable[bytes], interval: float = 0.2) -> dict[str, bool]:
    content, now = Content(), 100.0
    for luma in pictures:
        now += interval
        content.show(luma, now)
    return content.report(now)


def heard(peaks: Iterable[int]) -> dict[str, bool]:
    content, now = Content(), 100.0
    for peak in peaks:
        now += 0.02
        content.hear(peak, now)
    return content.report(now)


@pytest.mark.parametrize(
    ("pictures", "black", "frozen"),
    [
        (moving(15), False, False),
        ([BLACK] * 15, True, True),
        ([GREY] * 15, False, True),
        ([*moving(10), *[GREY] * 12], False, True),
        ([*[GREY] * 10, *moving(12)], False, False),
        # An encoder repaints it, now and then.
        ([GREY, *[bytes([128 + i // 6]) * PLACES for i in range(14)]], False, True),
        # A head that moves in front of a wall: a tenth of the picture.
        ([GREY[:-38] + m[:38] for m in moving(15)], False, False),
    ],
    ids=["moving", "black", "grey", "freezes", "thaws", "repainted", "a head"],
)
def test_pictures(pictures: list[bytes], black: bool, frozen: bool) -> None:
    assert shown(pictures) == {"black": black, "frozen": frozen}


@pytest.mark.parametrize(
    ("peaks", "silent"),
    [
        ([0] * 200, True),
        ([5, 9] * 100, True),
        ([60] * 200, False),  # the noise of a microphone
        (([8000] * 5 + [0] * 45) * 4, False),  # a beep a second
        ([8000] * 100 + [0] * 120, True),
    ],
)
def test_sounds(peaks: list[int], silent: bool) -> None:
    assert heard(peaks) == {"silent": silent}


@given(st.lists(st.integers(0, 12).map(lambda quarters: quarters / 4), max_size=30))
def test_nothing_is_said_before_a_window_is_full_or_after_it_has_run_dry(gaps: list[float]) -> None:
    content, now = Content(), 0.0
    for gap in gaps:
        now += gap
        content.show(GREY, now)
        content.hear(0, now)
        if content.report(now):
            assert now >= 0.75 * WINDOW
    assert content.report(now + WINDOW) == {}


def test_a_picture_of_another_size_begins_anew() -> None:
    assert shown([GREY] * 10 + [GREY + GREY]) == {}
