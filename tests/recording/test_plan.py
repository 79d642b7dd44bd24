"""Which file a participant's frames go into."""

import pytest

from roomcall.recording import effects as e
from roomcall.recording.plan import HOLD, PAUSE
from tests.recording.story import Story, vp8

# A sequence parameter set (baseline, 320×240) and the beginning of an IDR picture.
H264_KEY_FRAME = bytes.fromhex(
    "00000001 6742c00dd90141fa1000000300100000030320f142a480 00000001 6588"
)


@pytest.fixture
def story() -> Story:
    """In which a file with both kinds has begun: sound at 0, a key frame at 0.1."""
    story = Story()
    story.announce("video", "audio")
    story.sound(0)
    story.picture(0.1, vp8())
    return story


def test_it_begins_with_a_key_frame_and_keeps_the_sound_from_before() -> None:
    story = Story()
    story.announce("video", "audio")
    assert story.asked == 1, "a key frame is asked for at once"
    story.sound(0)
    story.picture(0.05)
    story.sound(0.1)
    assert not list(story.files())
    story.picture(0.15, vp8())
    assert list(story.files()) == [(0, ["audio", "video"], 0)]
    assert story.written(0, "audio") == [0, 0.1]
    assert story.written(0, "video") == [0.15]


def test_what_never_comes_is_not_waited_for_longer_than_a_while() -> None:
    story = Story()
    story.announce("video", "audio")
    story.picture(0, vp8())
    story.picture(HOLD - 0.1)
    assert not list(story.files())
    story.picture(HOLD)
    assert list(story.files()) == [(0, ["audio", "video"], 0)], "a silent sound has its place"


def test_who_sends_nothing_has_no_file() -> None:
    story = Story()
    story.announce("video", "audio")
    story.end()
    assert not list(story.files())


def test_who_leaves_early_has_what_was_held() -> None:
    story = Story(tied=False)
    story.announce("video", "audio")
    story.sound(0)
    story.picture(0.1, vp8())
    story.end()
    assert list(story.files()) == [(0, ["audio", "video"], 0)]
    assert story.ended == [0]


def test_after_a_loss_the_picture_waits_for_a_key_frame_and_asks(story: Story) -> None:
    asked = story.asked
    story.picture(1.2)
    story.picture(1.4, gap=True)
    story.picture(1.5)
    assert story.asked == asked + 1
    story.picture(2.5)
    assert story.asked == asked + 2, "again after a second"
    story.picture(2.6, vp8())
    story.picture(2.7)
    assert story.written(0, "video") == [0.1, 1.2, 2.6, 2.7]
    gaps = [gap for gap in story.effects if isinstance(gap, e.Gap) and gap.lost]
    assert [(gap.kind, round(gap.start, 3), round(gap.end, 3)) for gap in gaps] == [
        ("video", 1.2, 2.6)
    ]


def test_a_pause_stays_a_pause(story: Story) -> None:
    story.sound(PAUSE + 5)
    assert story.written(0, "audio") == [0, PAUSE + 5]
    (gap,) = (gap for gap in story.effects if isinstance(gap, e.Gap))
    assert (gap.kind, gap.start, gap.end, gap.lost) == ("audio", 0, PAUSE + 5, False)


def test_another_size_begins_another_file_and_late_sound_goes_into_the_one_before(
    story: Story,
) -> None:
    story.sound(0.9)
    story.picture(1, vp8(640, 480))
    story.sound(0.95)
    assert not story.ended
    story.sound(1.02)
    assert list(story.files()) == [
        (0, ["audio", "video"], 0),
        (1, ["audio", "video"], 1),
    ]
    assert story.written(0, "audio") == [0, 0.9, 0.95]
    assert story.written(1, "audio") == [0.02]
    assert story.ended == [0]


def test_another_codec_begins_another_file_at_its_key_frame(story: Story) -> None:
    story.picture(0.2, codec="H264")
    assert story.written(0, "video") == [0.1]
    story.picture(0.3, H264_KEY_FRAME, codec="H264")
    assert [begun for _, _, begun in story.files()] == [0, 0.3]


def test_segments_are_cut_at_key_frames_which_are_asked_for() -> None:
    story = Story(segment=1)
    story.announce("video", "audio")
    story.sound(0)
    story.picture(0, vp8())
    story.picture(0.9, vp8())
    asked = story.asked
    story.picture(1.1)
    assert story.asked == asked + 1
    story.picture(1.2, vp8())
    assert [begun for _, _, begun in story.files()] == [0, 1.2]
    assert story.written(0, "video") == [0, 0.9, 1.1]


def test_sound_alone_is_cut_anywhere() -> None:
    story = Story(segment=1)
    story.announce("audio")
    for time in (0.0, 0.5, 1.0, 1.5):
        story.sound(time)
    assert [begun for _, _, begun in story.files()] == [0, 1]
    assert story.ended == [0]


def test_a_picture_that_comes_later_begins_another_file() -> None:
    story = Story()
    story.announce("audio")
    story.sound(0)
    story.announce("video")
    story.picture(0.5)
    story.picture(0.6, vp8())
    assert list(story.files()) == [(0, ["audio"], 0), (1, ["audio", "video"], 0.6)]


def test_a_sound_that_comes_later_is_kept_for_the_next_file() -> None:
    story = Story()
    story.announce("video")
    story.picture(0, vp8())
    story.sound(0.5)
    story.picture(0.6)
    story.picture(0.7, vp8())
    assert list(story.files()) == [(0, ["video"], 0), (1, ["audio", "video"], 0.5)]
    assert story.written(1, "audio") == [0]
    assert story.written(1, "video") == [0.2]


def test_what_cannot_be_kept_is_a_loss(story: Story) -> None:
    story.plan.lost("video")
    story.picture(0.2)
    story.picture(0.3, vp8())
    assert story.written(0, "video") == [0.1, 0.3]


def test_an_unknown_codec_is_left_out(story: Story) -> None:
    story.picture(0.2, b"\x10", codec="AV1")
    assert story.written(0, "video") == [0.1]
