"""Somebody's own sources: aiortc's tracks, generators, and those that misbehave."""

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction

import av
import pytest

from roomcall.errors import SourceError
from roomcall.media.source import SourceEnded
from roomcall.media.sources import open_sources


def picture(pts: int | None, size: tuple[int, int] = (321, 241), kind: str = "rgb24"):
    frame = av.VideoFrame(*size, kind)
    frame.time_base = Fraction(1, 1000)
    frame.pts = pts
    return frame


def sound(pts: int | None, samples: int = 441, rate: int = 22050):
    frame = av.AudioFrame("s16", "mono", samples)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    frame.pts = pts
    return frame


class Track:
    """A source that gives what it was given, then raises."""

    def __init__(self, kind: str, given: list, then: Exception | None = None) -> None:
        self.kind = kind
        self._given = list(given)
        self._then = then

    async def recv(self) -> object:
        if self._given:
            return self._given.pop(0)
        raise self._then or StopAsyncIteration


async def test_pictures_are_converted_and_moved_onto_the_clock(opened, clock) -> None:
    sources = await opened(Track("video", [picture(5000), picture(5040), picture(5100)]))
    times = []
    for _ in range(3):
        frame = await sources.video.recv()
        assert (frame.width, frame.height, frame.format.name) == (320, 240, "yuv420p")
        times.append(frame.time - 1000)
        assert clock.now() >= frame.time - 1e-4
    assert times == pytest.approx([0, 0.04, 0.1], abs=1e-4)
    for _ in range(2):
        with pytest.raises(SourceEnded):
            await sources.video.recv()


async def test_the_owners_frame_is_left_as_it_is(opened) -> None:
    own = picture(5000, (320, 240), "yuv420p")
    memoryview(own.planes[0])[:] = bytes(range(256)) * 300
    sources = await opened(Track("video", [own]))
    frame = await sources.video.recv()
    assert frame is not own and own.pts == 5000
    assert bytes(memoryview(frame.planes[0])) == bytes(memoryview(own.planes[0]))


async def test_a_generator_without_time_stamps_is_paced(opened) -> None:
    async def frames() -> AsyncIterator[av.VideoFrame]:
        for _ in range(4):
            yield picture(None, (64, 48))

    sources = await opened(frames(), size=(32, 24), fps=20.0)
    times = [(await sources.video.recv()).time - 1000 for _ in range(4)]
    assert times == pytest.approx([0, 0.05, 0.1, 0.15], abs=1e-4)
    with pytest.raises(SourceEnded):
        await sources.video.recv()


async def test_time_that_jumps_back_never_goes_back(opened) -> None:
    given = [picture(n * 40) for n in (*range(100, 105), *range(5))]
    sources = await opened(Track("video", given))
    times = [(await sources.video.recv()).time for _ in given]
    assert times == sorted(set(times))
    assert times[-1] - times[0] < 1


async def test_a_wanted_rate_leaves_pictures_out(opened) -> None:
    sources = await opened(Track("video", [picture(n * 20) for n in range(50)]), fps=25.0)
    times = [(await sources.video.recv()).time - 1000 for _ in range(20)]
    assert times == pytest.approx([n * 0.04 for n in range(20)], abs=1e-4)


async def test_sound_is_resampled_into_frames_of_20_ms(opened) -> None:
    sources = await opened(None, Track("audio", [sound(7000 + 441 * n) for n in range(30)]))
    stamps = []
    for _ in range(25):
        frame = await sources.audio.recv()
        assert (frame.format.name, frame.layout.name) == ("s16", "stereo")
        assert (frame.sample_rate, frame.samples) == (48000, 960)
        stamps.append(frame.pts)
    assert stamps == [48_000_000 + 960 * n for n in range(25)]


async def test_a_hole_in_the_sound_becomes_silence(opened) -> None:
    given = [sound(441 * n, rate=22050) for n in (0, 1, 2, 13, 14, 15)]
    sources = await opened(None, Track("audio", given))
    stamps = [(await sources.audio.recv()).pts for _ in range(14)]
    assert stamps == [48_000_000 + 960 * n for n in range(14)]


async def test_a_source_that_raises_ends_with_one_line(opened, caplog) -> None:
    sources = await opened(Track("video", [picture(0)], then=RuntimeError("lens fell off")))
    await sources.video.recv()
    for _ in range(2):
        with pytest.raises(SourceEnded):
            await sources.video.recv()
    assert len(caplog.records) == 1
    assert "lens fell off" in caplog.text and "Traceback" not in caplog.text


async def test_what_is_not_asynchronous_ends(opened, caplog) -> None:
    class Plain:
        kind = "video"

        def recv(self) -> av.VideoFrame:
            return picture(0)

    sources = await opened(Plain())
    with pytest.raises(SourceEnded):
        await sources.video.recv()
    assert len(caplog.records) == 1


async def test_a_frame_of_the_wrong_kind_ends_it(opened, caplog) -> None:
    sources = await opened(Track("video", [sound(0)]))
    with pytest.raises(SourceEnded):
        await sources.video.recv()
    assert "AudioFrame" in caplog.text


async def test_the_end_of_a_track_of_aiortc_is_no_failure(opened, caplog) -> None:
    from aiortc.mediastreams import MediaStreamError

    sources = await opened(None, Track("audio", [], then=MediaStreamError()))
    with pytest.raises(SourceEnded):
        await sources.audio.recv()
    assert not caplog.records


async def test_a_track_of_aiortc(opened) -> None:
    from aiortc import VideoStreamTrack

    sources = await opened(VideoStreamTrack())
    frame = await sources.video.recv()
    assert (frame.width, frame.height, frame.format.name) == (640, 480, "yuv420p")


async def test_a_source_in_the_wrong_place_is_refused() -> None:
    with pytest.raises(SourceError, match="pass it as audio="):
        await open_sources(Track("audio", []))


async def test_closing_ends_a_waiting_reader(opened) -> None:
    class Silent:
        kind = "video"

        async def recv(self) -> av.VideoFrame:
            await asyncio.Event().wait()
            raise AssertionError

    sources = await opened(Silent())
    waiting = asyncio.create_task(sources.video.recv())
    await asyncio.sleep(0)
    await sources.close()
    with pytest.raises(SourceEnded):
        await waiting
    await sources.close()
