"""What of a file goes out as it is, and how."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from roomcall.media import marks
from roomcall.media.codecs import is_key_frame
from roomcall.media.decoder import Decoder
from roomcall.media.source import VideoOptions
from roomcall.media.sources import open_sources
from roomcall.media.sources.file import FileAudio, FileVideo
from roomcall.media.sources.passing import Passing, PassingSource, Track, look_at, why_not
from roomcall.testing.media import make_video

FITS = Track("h264", key_frame_distance=2.0)
NO_OPTIONS = VideoOptions()


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (FITS, None),
        (replace(FITS, codec="vp8"), None),
        (replace(FITS, codec="hevc"), "hevc is no codec of WebRTC here"),
        (replace(FITS, in_order=False), "it has B-frames"),
        (replace(FITS, pixels="yuv422p10le"), "its pixels are yuv422p10le"),
        (replace(FITS, rotation=90), "it has to be turned or stretched"),
        (replace(FITS, aspect=Fraction(4, 3)), "it has to be turned or stretched"),
        (replace(FITS, key_frame_distance=8.3), "its key frames are 8.3 s apart"),
    ],
)
def test_what_a_picture_needs(track: Track, reason: str | None) -> None:
    assert why_not(track, "video", NO_OPTIONS, Passing()) == reason


@pytest.mark.parametrize(
    ("options", "passing", "reason"),
    [
        (VideoOptions(size=(320, 240)), Passing(), "another size or rate"),
        (VideoOptions(fps=10), Passing(), "another size or rate"),
        (NO_OPTIONS, Passing(allowed=False), "it is wished so"),
        (NO_OPTIONS, Passing(codec="VP8"), "another codec"),
        (NO_OPTIONS, Passing(bitrates={"video": 500_000}), "another bitrate"),
    ],
)
def test_what_is_wished_for(options: VideoOptions, passing: Passing, reason: str) -> None:
    found = why_not(FITS, "video", options, passing)
    assert found is not None and reason in found


def test_what_a_sound_needs() -> None:
    opus = Track("opus", longest=0.02)
    assert why_not(opus, "audio", VideoOptions(fps=10), Passing(codec="VP8")) is None
    assert why_not(replace(opus, longest=0.12), "audio", NO_OPTIONS, Passing()) is not None
    assert why_not(Track("aac"), "audio", NO_OPTIONS, Passing()) is not None


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make_one(name: str, **options: Any) -> Path:
        return make_video(tmp_path / name, **{"seconds": 2, "size": (160, 120), **options})

    return make_one


@pytest.mark.parametrize(
    ("name", "options", "codec"),
    [
        ("plain.mp4", {"bframes": 0}, "H264"),
        ("plain.mkv", {"bframes": 0}, "H264"),
        ("plain.ts", {"bframes": 0}, "H264"),
        ("plain.webm", {"codec": "libvpx", "audio": "libopus"}, "VP8"),
        ("ordinary.mp4", {}, None),
        ("rare.mp4", {"bframes": 0, "gop": 500, "seconds": 4}, None),
        ("turned.mp4", {"bframes": 0, "rotation": 90}, None),
        ("other.mp4", {"codec": "mpeg4"}, None),
    ],
)
async def test_pictures_of_files(
    make: Make, name: str, options: dict[str, Any], codec: str | None, clock: Any
) -> None:
    sources = await open_sources(make(name, **options), passing=Passing(), clock=clock)
    if codec is None:
        assert isinstance(sources.video, FileVideo)
    else:
        assert isinstance(sources.video, PassingSource) and sources.video.codec == codec
    passes = options.get("audio") == "libopus"
    assert isinstance(sources.audio, PassingSource if passes else FileAudio)
    await sources.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.mp4", {"bframes": 0, "gop": 25}),
        ("plain.ts", {"bframes": 0, "gop": 25}),
        ("plain.webm", {"codec": "libvpx", "audio": "libopus", "gop": 25}),
    ],
)
async def test_packets_are_those_of_the_file_and_time_goes_on_past_its_end(
    make: Make, name: str, options: dict[str, Any], clock: Any
) -> None:
    path = make(name, **options)
    sources = await open_sources(path, passing=Passing(), clock=clock)
    video = sources.video
    assert isinstance(video, PassingSource)
    packets = [await video.recv() for _ in range(120)]  # two passes and a bit
    times = [float(packet.pts * packet.time_base) for packet in packets]
    steps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert all(0.03 < step < 0.12 for step in steps), steps
    assert is_key_frame(video.codec, bytes(packets[0]))
    decoder = Decoder("video", video.codec)
    numbers = []
    for packet in packets:
        for frame in await decoder.decode(bytes(packet), 0.0) or ():
            mark = marks.read(frame)
            assert mark is not None
            numbers.append(mark.number)
    decoder.close()
    assert numbers == [number % 50 for number in range(len(numbers))] and len(numbers) >= 118
    await sources.close()


def test_a_file_that_cannot_be_looked_at_is_left_to_the_decoder(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"noise" * 100)
    assert look_at(str(path)) == {}
    with av.open(str(make_video(tmp_path / "ok.mp4", seconds=1)), "r") as container:
        assert container.streams.video
