"""Files as they come: every container, codec and oddity."""

from array import array
from fractions import Fraction
from pathlib import Path

import av
import pytest

from roomcall.media.marks import beep_wave
from roomcall.media.source import AUDIO_SAMPLES
from roomcall.media.sources.testcard import TestCard
from roomcall.testing.media import make_sound, make_video

YUV = "yuv420p"
SMALL = (320, 240)


@pytest.mark.parametrize(
    "name, options",
    [
        ("plain.mkv", {}),
        ("plain.mov", {}),
        ("plain.flv", {}),
        ("vp8.webm", {"codec": "libvpx", "audio": "libopus"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "audio": "libopus"}),
        ("late.ts", {"start": 100}),
        ("late.mkv", {"start": 5.5}),
        ("old.avi", {"codec": "mpeg4", "audio": "libmp3lame"}),
        ("ten-bit.mkv", {"codec": "ffv1", "pix_fmt": "yuv420p10le", "audio": "flac"}),
        ("studio.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "audio": "pcm_s16le"}),
        ("full-range.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "audio": None}),
        ("no-stamps.h264", {"audio": None}),
    ],
)
async def test_containers_and_codecs(opened, play, files: Path, name: str, options) -> None:
    path = make_video(files / name, seconds=1, size=SMALL, **options)
    played = await play(await opened(path), 2.5)
    assert played.numbers[:50] == list(range(25)) * 2
    assert played.times == sorted(set(played.times))
    assert played.times[49] == pytest.approx(1.96, abs=0.1)
    assert played.sizes == {(*SMALL, YUV)}
    if options.get("audio", "aac"):
        assert len(played.beeps) >= 2
        # What the writer of a format itself is off by stays: with B-frames, AVI is a frame.
        assert max(map(abs, played.offsets)) < (0.04 if name.endswith("avi") else 0.02)
        assert _steps(played.sound_stamps) == {AUDIO_SAMPLES}


@pytest.mark.parametrize("rotation", [90, 180, 270])
async def test_a_turned_picture_goes_out_as_displayed(
    opened, play, files: Path, rotation: int
) -> None:
    path = make_video(files / f"turned{rotation}.mp4", seconds=0.4, rotation=rotation)
    played = await play(await opened(path), 0.35)
    assert played.numbers == list(range(10))
    assert played.sizes == {(640, 360, YUV)}


async def test_a_turned_picture_in_a_wanted_size(opened, play, files: Path) -> None:
    path = make_video(files / "phone.mov", seconds=0.4, rotation=270)
    played = await play(await opened(path, size=(320, 180)), 0.35)
    assert played.numbers == list(range(10))
    assert played.sizes == {(320, 180, YUV)}


async def test_an_odd_size_becomes_even(opened, play, files: Path) -> None:
    path = make_video(files / "odd.webm", seconds=0.4, size=(321, 241), codec="libvpx", audio=None)
    played = await play(await opened(path), 0.35)
    assert played.numbers == list(range(10))
    assert played.sizes == {(320, 240, YUV)}


async def test_pixels_that_are_not_square(opened, play, files: Path) -> None:
    path = files / "anamorphic.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, YUV
        stream.codec_context.sample_aspect_ratio = Fraction(16, 15)
        frame = av.VideoFrame(720, 576, YUV)
        for plane in frame.planes:
            memoryview(plane)[:] = b"\x80" * plane.buffer_size
        for pts in range(3):
            frame.pts = pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    played = await play(await opened(path), 0.1)
    assert played.sizes == {(768, 576, YUV)}


async def test_a_varying_rate_keeps_its_times(opened, play, files: Path) -> None:
    kept = [0, 1, 2, 7, 8, 24]
    path = make_video(files / "varying.mkv", seconds=1, size=SMALL, frames=kept)
    played = await play(await opened(path), 0.95)
    first_seen = dict(reversed(list(zip(played.numbers, played.times, strict=True))))
    assert first_seen == {n: pytest.approx(n / 25, abs=0.002) for n in kept}
    # The picture that stands from 0.32 to 0.96 s is sent again and again.
    assert played.numbers.count(8) >= 3


async def test_sound_alone(opened, play, files: Path) -> None:
    path = make_sound(files / "song.mp3", seconds=1, codec="libmp3lame")
    sources = await opened(path)
    assert sources.video is None
    played = await play(sources, 3)
    assert len(played.beeps) == 3
    assert _steps(played.sound_stamps) == {AUDIO_SAMPLES}


async def test_the_cover_of_a_song_is_no_video(opened, files: Path) -> None:
    path = files / "cover.mp3"
    song = make_sound(files / "bare.mp3", seconds=1, codec="libmp3lame")
    _picture(files / "cover.png")
    with av.open(str(path), "w") as out, av.open(str(song)) as sound:
        sound_stream = out.add_stream_from_template(sound.streams.audio[0])
        with av.open(str(files / "cover.png")) as cover:
            cover_stream = out.add_stream_from_template(cover.streams.video[0])
            cover_stream.disposition = av.stream.Disposition.attached_pic
            packet = next(cover.demux())
            packet.stream = cover_stream
            out.mux(packet)
        for packet in sound.demux():
            if packet.dts is not None:
                packet.stream = sound_stream
                out.mux(packet)
    with av.open(str(path)) as written:
        assert len(written.streams.video) == 1
    sources = await opened(path)
    assert sources.video is None and sources.audio is not None


async def test_picture_alone(opened, play, files: Path) -> None:
    path = make_video(files / "mute.mp4", seconds=0.4, size=SMALL, audio=None)
    sources = await opened(path)
    assert sources.audio is None
    assert (await play(sources, 0.79)).numbers[:20] == list(range(10)) * 2


@pytest.mark.parametrize("name", ["still.png", "still.jpg"])
@pytest.mark.parametrize("loop", [True, False])
async def test_a_still_picture_is_repeated(
    opened, play, files: Path, name: str, loop: bool
) -> None:
    path = _picture(files / name)
    played = await play(await opened(path, loop=loop), 130)
    assert not played.ended
    assert len(played.numbers) == pytest.approx(130 * 5, abs=5)
    assert set(played.numbers) == {7}
    assert played.times == sorted(set(played.times))


async def test_a_file_of_one_frame_is_repeated(opened, play, files: Path) -> None:
    path = make_video(files / "one.mp4", size=SMALL, frames=[3], audio=None)
    played = await play(await opened(path), 3)
    assert len(played.numbers) >= 15
    assert set(played.numbers) == {3}


async def test_one_picture_under_a_song(opened, play, files: Path) -> None:
    path = make_video(files / "slide.mkv", seconds=2, size=SMALL, frames=[0])
    played = await play(await opened(path), 4.9)
    assert len(played.numbers) >= 24
    assert len(played.beeps) == 5
    assert _steps(played.sound_stamps) == {AUDIO_SAMPLES}


async def test_sound_that_is_shorter_is_followed_by_silence(opened, play, files: Path) -> None:
    path = make_video(files / "half.mp4", seconds=3, size=SMALL, audio_seconds=0.5)
    played = await play(await opened(path), 6.95)
    assert played.beeps == pytest.approx([0, 3, 6], abs=0.01)
    assert _steps(played.sound_stamps) == {AUDIO_SAMPLES}


async def test_mono_and_other_sample_rates(opened, play, files: Path) -> None:
    path = files / "telephone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame("s16", "mono", 8000)
        frame.sample_rate, frame.pts = 8000, 0
        beep = array("h", beep_wave(8000)).tobytes()
        memoryview(frame.planes[0])[:16000] = beep + bytes(16000 - len(beep))
        container.mux(stream.encode(frame))
    sources = await opened(path)
    frame = await sources.audio.recv()
    assert (frame.format.name, frame.layout.name) == ("s16", "stereo")
    assert (frame.sample_rate, frame.samples) == (48000, AUDIO_SAMPLES)
    played = await play(sources, 2.9)
    assert played.beeps == pytest.approx([0.02, 1, 2], abs=0.002)  # the first one is cut
    assert _steps(played.sound_stamps) == {AUDIO_SAMPLES}


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
async def test_damage_in_the_middle_is_passed_over(opened, play, files: Path, suffix: str) -> None:
    path = make_video(files / f"damaged.{suffix}", seconds=3, size=SMALL, gop=10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = b"\xa5" * 1500
    path.write_bytes(data)
    played = await play(await opened(path), 5.9)
    assert not played.ended
    assert played.numbers[:10] == list(range(10))
    # The later part of the first pass, and the second pass, are there.
    assert 70 in played.numbers
    assert played.numbers.count(1) == 2
    assert played.times == sorted(set(played.times))


async def test_a_cut_off_file_plays_as_far_as_it_goes(opened, play, files: Path) -> None:
    path = make_video(files / "cut.mkv", seconds=2, size=SMALL)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    played = await play(await opened(path), 3)
    assert played.numbers[:20] == list(range(20))
    assert played.numbers.count(0) >= 2


async def test_4k_in_a_wanted_size(opened, play, files: Path) -> None:
    path = make_video(files / "large.mp4", seconds=0.2, size=(3840, 2160), audio=None)
    played = await play(await opened(path, size=(640, 360)), 0.15)
    assert played.sizes == {(640, 360, YUV)}
    assert played.numbers[:5] == list(range(5))


def _picture(path: Path) -> Path:
    TestCard(SMALL, Fraction(25)).frame(7, 0.0).save(path)
    return path


def _steps(stamps: list[int]) -> set[int]:
    return {b - a for a, b in zip(stamps, stamps[1:], strict=False)}
