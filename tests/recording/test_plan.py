"""Which file a participant's frames go into."""

from collections.abc import Iterator

import pytest

from roomcall.media.source import AUDIO_CLOCK, VIDEO_CLOCK, Kind
from roomcall.peer.playout import PlayoutClock
from roomcall.peer.track import EncodedFrame
from roomcall.recording import effects as e
from roomcall.recording.plan import HOLD, PAUSE, FilePlan


def vp8(width: int = 320, height: int = 240) -> bytes:
    """The header of a key frame (RFC 6386 section 9.1)."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"\x10\0\0\x9d\x01\x2a" + size


# A sequence parameter set (baseline, 320×240) and the beginning of an IDR picture.
H264_KEY_FRAME = bytes.fromhex(
    "00000001 6742c00dd90141fa1000000300100000030320f142a480 00000001 6588"
)
DELTA = b"\x11 a picture that builds on others"


class Story:
    """A participant whose frames arrive as soon as they are made."""

    def __init__(self, segment: float | None = None, *, tied: bool = True) -> None:
        self.clock = PlayoutClock()
        self.plan = FilePlan(self.clock, segment)
        self.effects: list[e.Effect] = []
        self._tied = tied

    def announce(self, *kinds: Kind) -> None:
        for kind in kinds:
            self.effects += self.plan.announce(kind, "VP8" if kind == "video" else "opus", 0)

    def picture(
        self, time: float, data: bytes = DELTA, *, gap: bool = False, codec: str = "VP8"
    ) -> None:
        self._frame("video", codec, time, data, gap=gap)

    def sound(self, time: float, *, codec: str = "opus", late: float = 0) -> None:
        self._frame("audio", codec, time, f"sound of {time}".encode(), late=late)

    def _frame(
        self,
        kind: Kind,
        codec: str,
        time: float,
        data: bytes,
        *,
        gap: bool = False,
        late: float = 0,
    ) -> None:
        rate = VIDEO_CLOCK if kind == "video" else AUDIO_CLOCK
        stamp, now = round(time * rate), time + late
        on_clock = self.clock.time(kind, rate, stamp, now)
        if self._tied:
            self.clock.report(kind, 1000 + time, stamp)
        frame = EncodedFrame(data, stamp, on_clock, data != DELTA, gap)
        self.effects += self.plan.frame(kind, codec, frame, now)

    def end(self) -> None:
        self.effects += self.plan.end()

    def files(self) -> Iterator[tuple[int, list[Kind], float]]:
        for effect in self.effects:
            if isinstance(effect, e.Begin):
                yield effect.file, sorted(s.kind for s in effect.streams), round(effect.time, 3)

    def written(self, file: int, kind: Kind) -> list[float]:
        """Times in the file."""
        return [
            round(effect.time, 3)
            for effect in self.effects
            if isinstance(effect, e.Write) and (effect.file, effect.kind) == (file, kind)
        ]

    @property
    def asked(self) -> int:
        return sum(isinstance(effect, e.AskForKeyFrame) for effect in self.effects)

    @property
    def ended(self) -> list[int]:
        return [effect.file for effect in self.effects if isinstance(effect, e.End)]


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


def test_picture_and_sound_are_held_until_they_are_on_one_clock() -> None:
    story = Story(tied=False)
    story.announce("video", "audio")
    story.sound(0)
    # It was a second on its way, and nothing has told that so far.
    story._frame("video", "VP8", 0, vp8(), late=1)
    assert not list(story.files())
    story.clock.report("audio", 1000, 0)
    story.clock.report("video", 1000, 0)
    story.sound(1.1)
    assert story.written(0, "audio") == [0, 1.1]
    assert story.written(0, "video") == [0]


def test_what_the_clock_learns_holds_no_picture_up() -> None:
    """What comes next is not late because the key frame was."""
    story = Story(tied=False)
    story.announce("video", "audio")
    story.sound(0)
    story._frame("video", "VP8", 0, vp8(), late=1)
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


def test_what_never_comes_is_not_waited_for_longer_than_a_while() -> None:
    story = Story(tied=False)
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
