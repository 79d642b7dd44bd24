"""When a participant's frames are in its files."""

import pytest

from roomcall.recording import effects as e
from roomcall.recording.plan import HOLD, TIE
from tests.recording.story import Story, vp8


def late_picture(late: float) -> Story:
    """A sound, and a key frame that was so long on its way, of which nothing has told so far."""
    story = Story(tied=False)
    story.announce("video", "audio")
    story.sound(0)
    story._frame("video", "VP8", 0, vp8(), late=late)
    return story


def test_picture_and_sound_are_held_until_they_are_on_one_clock() -> None:
    story = late_picture(1)
    assert not list(story.files())
    story.clock.report("audio", 1000, 0)
    story.clock.report("video", 1000, 0)
    story.sound(1.1)
    assert story.written(0, "audio") == [0, 1.1]
    assert story.written(0, "video") == [0]


def test_a_report_that_was_lost_is_waited_for_longer() -> None:
    """Else the beginning of a file would be out of sync."""
    story = late_picture(1.2)
    story.clock.report("audio", 1000, 0)
    story.sound(HOLD)
    assert not list(story.files())
    story.clock.report("video", 1000, 0)
    story.sound(HOLD + 0.1)
    assert story.written(0, "video") == [0]
    assert story.written(0, "audio") == [0, HOLD, HOLD + 0.1]


def test_what_the_clock_learns_holds_no_picture_up() -> None:
    """What comes next is not late because the key frame was."""
    story = late_picture(1)
    story.clock.report("audio", 1000, 0)
    story.clock.report("video", 1000, 0)
    story.picture(0.1)
    story.picture(0.2)
    assert story.written(0, "video") == [0, 0.1, 0.2]


@pytest.mark.parametrize("ppm", [100, -100])
def test_a_clock_that_goes_wrong_moves_nothing(ppm: int) -> None:
    """Laid side by side by when they began, files are in sync also after a quarter of an hour."""
    story = Story(segment=300)
    story.announce("video", "audio")
    story._frame("audio", "opus", 0, b"sound")
    story._frame("video", "VP8", 0, vp8(), late=0.09)
    seconds = 900
    for number in range(1, 5 * seconds):
        true = number / 5
        theirs = true * (1 + ppm * 1e-6)
        late = true - theirs + (0.005 if number % 20 else 0.04 if number % 100 else 0)
        story._frame("audio", "opus", theirs, b"sound", late=late)
        story._frame("video", "VP8", theirs, vp8(), late=late)
    begun = {e_.file: e_.time for e_ in story.effects if isinstance(e_, e.Begin)}
    assert len(begun) == 3
    for kind in ("video", "audio"):
        times = [
            begun[effect.file] + effect.time
            for effect in story.effects
            if isinstance(effect, e.Write) and effect.kind == kind
        ]
        off = [time - number / 5 for number, time in enumerate(times)]
        assert max(off) < 0.006 and min(off) > -0.006


def test_a_way_that_is_slow_for_a_while_moves_little() -> None:
    story = Story()
    story.announce("audio")
    for number in range(3000):
        time = number / 10
        story.sound(time, late=0.2 if 60 < time < 120 else 0)
    times = story.written(0, "audio")
    assert max(abs(time - number / 10) for number, time in enumerate(times)) < 0.012


def test_who_sends_no_reports_is_not_waited_for_longer_than_a_while() -> None:
    story = Story(tied=False)
    story.announce("video", "audio")
    story.picture(0, vp8())
    story.sound(0)
    story.picture(TIE - 0.1)
    assert not list(story.files())
    story.picture(TIE)
    assert list(story.files()) == [(0, ["audio", "video"], 0)]
