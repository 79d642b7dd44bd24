"""Marks, flashes and beeps, also after encoding."""

import random
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomcall.media import marks
from roomcall.media.decoder import Decoder
from roomcall.media.encoder import make_encoder
from roomcall.media.source import AUDIO_CLOCK, AUDIO_SAMPLES, VIDEO_TIME_BASE
from roomcall.media.sources.file import sound_frame
from roomcall.media.sources.testcard import Beeps, TestCard

FPS = Fraction(30)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**40 - 1))
def test_a_mark_is_read_as_it_was_drawn(number: int, milliseconds: int) -> None:
    frame = TestCard((320, 240), FPS).frame(number, milliseconds / 1000)
    assert marks.read(frame) == marks.Mark(number, milliseconds / 1000)


@pytest.mark.parametrize("size", [(160, 120), (322, 242), (640, 360), (1280, 720)])
@pytest.mark.parametrize("scaled", [(320, 240), (1920, 1080), (426, 240)])
def test_a_mark_survives_scaling(size: tuple[int, int], scaled: tuple[int, int]) -> None:
    frame = TestCard(size, FPS).frame(30, 12.345).reformat(*scaled)
    assert marks.read(frame) == marks.Mark(30, 12.345)
    assert marks.is_flash(frame)


def test_without_a_mark_nothing_is_read() -> None:
    noise = random.Random(7)
    frame = av.VideoFrame(320, 240, "yuv420p")
    for level in (0, 16, 128, 235, 255):
        memoryview(frame.planes[0])[:] = bytes([level]) * (320 * 240)
        assert marks.read(frame) is None
    for _ in range(50):
        memoryview(frame.planes[0])[:] = noise.randbytes(320 * 240)
        assert marks.read(frame) is None


def test_a_damaged_mark_is_never_a_wrong_number() -> None:
    noise = random.Random(7)
    card = TestCard((320, 240), FPS)
    for number in range(300):
        frame = card.frame(number, number / 8)
        pixels = memoryview(frame.planes[0])
        for _ in range(4):  # blocks of a codec, gone wrong
            x, y = noise.randrange(0, 304, 16), noise.randrange(176, 224, 16)
            level = bytes([noise.choice((16, 235))]) * 16
            for line in range(y, y + 16):
                pixels[line * 320 + x : line * 320 + x + 16] = level
        assert marks.read(frame) in (None, marks.Mark(number, number / 8))


def test_a_tiny_picture_has_no_mark() -> None:
    assert marks.read(TestCard((64, 48), FPS).frame(1, 1.0)) is None


@pytest.mark.parametrize("fps", [15, 30])
@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_every_mark_and_flash_survives_200_kbit(codec: str, fps: int) -> None:
    card = TestCard((320, 240), Fraction(fps))
    encoder, decoder = make_encoder(codec, 200_000), Decoder("video", codec)
    seen, flashes, size = [], [], 0
    for number in range(6 * fps):
        frame = card.frame(number, number / fps)
        frame.pts, frame.time_base = number * 90_000 // fps, VIDEO_TIME_BASE
        # Somebody asks for a key frame in the middle, which takes the bits of many others.
        for packet in encoder.encode(frame, number in (0, 2 * fps + 5)):
            size += packet.size
            for decoded in await decoder.decode(bytes(packet), number / fps) or ():
                assert isinstance(decoded, av.VideoFrame)
                seen.append(marks.read(decoded))
                if marks.is_flash(decoded):
                    flashes.append(number)
    decoder.close()
    assert size * 8 / 6 < 220_000
    assert seen == [marks.Mark(n, round(n / fps, 3)) for n in range(6 * fps)]
    lit = round(marks.FLASH * fps)
    assert flashes == [n for n in range(6 * fps) if n % fps < lit]


def test_beeps_begin_with_the_flashes_also_at_odd_rates() -> None:
    fps = Fraction(30000, 1001)
    card, beeps = TestCard((160, 120), fps), Beeps(fps)
    flashes = [n for n in range(95) if marks.is_flash(card.frame(n, 0.0))]
    first_of_each = [n for n in flashes if n - 1 not in flashes]
    onsets = []
    for index in range(160):
        frame = sound_frame(beeps.samples(index * 960, 960), 0)
        onset = marks.beep_onset(frame)
        if onset is not None and (not onsets or index * 0.02 - onsets[-1] > 0.5):
            onsets.append(index * 0.02 + onset)
    assert onsets == pytest.approx([float(n / fps) for n in first_of_each], abs=0.002)


def test_silence_noise_and_other_tones_are_no_beep() -> None:
    noise = random.Random(7)
    assert not marks.is_beep(sound_frame(bytes(3840), 0))
    for _ in range(20):
        assert not marks.is_beep(sound_frame(noise.randbytes(3840), 0))


@pytest.mark.parametrize("phase", [0, 137, 400, 700, 959])  # samples from a frame to a beep
async def test_after_opus_a_beep_is_where_it_was_to_5_ms(phase: int) -> None:
    encoder, decoder = make_encoder("opus", 32_000), Decoder("audio", "opus")
    beeps = Beeps(FPS)
    heard: list[float] = []
    for index in range(10, 115):
        start = index * AUDIO_SAMPLES
        frame = sound_frame(beeps.samples(start - phase, AUDIO_SAMPLES), start)
        for packet in encoder.encode(frame, False):
            assert packet.pts is not None
            for decoded in await decoder.decode(bytes(packet), packet.pts / AUDIO_CLOCK) or ():
                assert isinstance(decoded, av.AudioFrame) and decoded.time is not None
                onset = marks.beep_onset(decoded)
                if onset is not None and (not heard or decoded.time - heard[-1] > 0.5):
                    heard.append(decoded.time + onset)
    decoder.close()
    assert heard == pytest.approx([second + phase / AUDIO_CLOCK for second in (1, 2)], abs=0.005)
