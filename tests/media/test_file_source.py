"""Playing an ordinary file: order, time, loops, being late, closing."""

import asyncio
import gc
import os
import time
from pathlib import Path

import pytest

from roomcall.media.source import AUDIO_SAMPLES, SourceEnded
from roomcall.media.sources import demuxer, open_sources
from roomcall.testing.media import make_sound, make_video


async def test_frames_come_in_order_and_on_time(opened, play, ordinary: Path) -> None:
    played = await play(await opened(ordinary), 1.95)
    assert played.numbers == list(range(50))
    assert played.times == pytest.approx([n / 25 for n in range(50)], abs=1e-4)
    assert played.sizes == {(320, 240, "yuv420p")}


async def test_loops_keep_picture_and_sound_together(opened, play, ordinary: Path) -> None:
    played = await play(await opened(ordinary), 11.95)
    assert played.numbers == list(range(50)) * 6
    assert played.times == pytest.approx([n / 25 for n in range(300)], abs=1e-3)
    assert played.flashes == pytest.approx(list(range(12)), abs=1e-3)
    assert len(played.beeps) == 12
    assert max(map(abs, played.offsets)) < 0.005
    _assert_contiguous(played.sound_stamps)


async def test_a_short_file_stays_together_over_many_loops(opened, play, files: Path) -> None:
    # 0.3 s of picture, 0.35 s of sound that is no whole number of codec frames.
    path = make_video(files / "short.mp4", seconds=0.3, size=(160, 120), fps=20, audio_seconds=0.35)
    played = await play(await opened(path), 70)
    assert len(played.flashes) >= 190
    assert max(map(abs, played.offsets)) < 0.02
    assert played.times == sorted(set(played.times))
    _assert_contiguous(played.sound_stamps)


async def test_loops_leave_no_open_file_behind(opened, play, files: Path, ordinary: Path) -> None:
    path = make_video(files / "blink.mp4", seconds=0.2, size=(160, 120))
    sources = await opened(path)
    await play(sources, 1)
    gc.disable()
    try:
        before = len(os.listdir("/proc/self/fd"))
        await play(sources, 10)
        assert len(os.listdir("/proc/self/fd")) <= before + 1
    finally:
        gc.enable()


async def test_without_looping_it_ends_and_stays_ended(opened, play, ordinary: Path) -> None:
    sources = await opened(ordinary, loop=False)
    played = await play(sources, 60)
    assert played.ended
    assert played.numbers == list(range(50))
    assert len(played.sound_stamps) in (100, 101)  # the last frame of AAC may reach beyond
    for source in (sources.video, sources.audio):
        for _ in range(2):
            with pytest.raises(SourceEnded):
                await source.recv()


async def test_a_picture_too_late_is_skipped_and_the_clock_stays(
    opened, clock, ordinary: Path
) -> None:
    sources = await opened(ordinary)
    first = await sources.video.recv()
    clock.time += 0.9
    late = await sources.video.recv()
    assert sources.video.frames_dropped > 10
    assert 0 <= clock.now() - late.time <= 0.2
    # Sound is not skipped: it catches up.
    stamps = [(await sources.audio.recv()).pts for _ in range(50)]
    assert stamps[0] == round(first.time * 48000)
    _assert_contiguous(stamps)


async def test_a_machine_far_too_slow_still_shows_something(opened, clock, ordinary: Path) -> None:
    sources = await opened(ordinary, "none")
    times = []
    for _ in range(20):
        times.append((await sources.video.recv()).time)
        clock.time += 1.5
    assert times == sorted(set(times))
    assert clock.now() - times[-1] < 5  # two intervals of key frames, and what passed since


@pytest.mark.parametrize(
    "fps, numbers", [(10.0, [0, 2, 5, 8, 10]), (25.0, [0, 1, 2, 3, 4]), (50.0, [0, 0, 1, 1, 2])]
)
async def test_a_wanted_rate(opened, play, ordinary: Path, fps: float, numbers: list[int]) -> None:
    played = await play(await opened(ordinary, "none", fps=fps), 4 - 1.5 / fps)
    assert played.times == pytest.approx([n / fps for n in range(round(4 * fps))], abs=1e-3)
    assert all(abs(a - b) <= 1 for a, b in zip(played.numbers, numbers, strict=False))


async def test_repetitions_too_late_are_left_out(opened, clock, files: Path) -> None:
    path = make_video(files / "slow.mkv", seconds=8, size=(160, 120), frames=[0, 199], audio=None)
    sources = await opened(path, fps=50.0)
    await sources.video.recv()
    clock.time += 5
    frame = await sources.video.recv()
    assert 0 <= clock.now() - frame.time < 0.05


async def test_a_wanted_size_keeps_the_shape(opened, play, ordinary: Path) -> None:
    scaled = await play(await opened(ordinary, "none", size=(640, 480)), 0.5)
    assert scaled.sizes == {(640, 480, "yuv420p")}
    assert scaled.numbers[:3] == [0, 1, 2]
    sources = await opened(ordinary, "none", size=(640, 240))
    frame = await sources.video.recv()
    luma = memoryview(frame.planes[0])
    assert (frame.width, frame.height) == (640, 240)
    # Black bars left and right.
    line = 100 * frame.planes[0].line_size
    assert set(luma[line : line + 150]) == {16}
    assert set(luma[line + 490 : line + 640]) == {16}
    assert set(luma[line + 170 : line + 470]) != {16}


async def test_picture_and_sound_of_different_files(opened, play, files: Path, ordinary) -> None:
    song = make_sound(files / "song.ogg", seconds=1)
    sources = await opened(str(ordinary), str(song))
    played = await play(sources, 1.5)
    assert played.numbers[:2] == [0, 1] and played.beeps[0] == pytest.approx(0, abs=0.01)
    both = await opened(str(ordinary), str(ordinary))
    assert both.video._demuxer is both.audio._demuxer


async def test_far_apart_in_the_file_one_waits_and_a_warning_says_so(
    opened, play, files: Path, monkeypatch, caplog
) -> None:
    # To find that there is no more sound, the rest of the picture has to be read.
    path = make_video(files / "apart.mp4", seconds=3, size=(320, 240), audio_seconds=0.5)
    # More than a key frame: or whether the next pass can be read when its sound is due is a race.
    monkeypatch.setattr(demuxer, "QUEUE_BYTES", 8000)
    played = await play(await opened(path), 5.9)
    assert len([r for r in caplog.records if "too far apart" in r.message]) == 1
    assert played.numbers[:75] == list(range(75))
    assert played.beeps == pytest.approx([0, 3], abs=0.01)
    _assert_contiguous(played.sound_stamps)


async def test_one_track_goes_on_when_the_other_is_closed(opened, ordinary: Path) -> None:
    sources = await opened(ordinary)
    await sources.audio.recv()
    await sources.audio.close()
    numbers = [(await sources.video.recv()).time for _ in range(120)]
    assert numbers == sorted(set(numbers))


async def test_a_reader_that_is_cancelled_loses_no_frame(ordinary: Path) -> None:
    sources = await open_sources(ordinary, "none")
    video = sources.video
    assert video is not None
    first = await video.recv()
    reader = asyncio.create_task(video.recv())
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert (await video.recv()).time - first.time == pytest.approx(0.04, abs=1e-4)
    await sources.close()


async def test_closing_ends_a_waiting_reader(ordinary: Path) -> None:
    sources = await open_sources(ordinary)
    assert sources.video is not None and sources.audio is not None
    await sources.video.recv()
    await sources.audio.recv()
    readers = [asyncio.create_task(source.recv()) for source in (sources.video, sources.audio)]
    await asyncio.sleep(0)
    await sources.close()
    await sources.close()
    for outcome in await asyncio.gather(*readers, return_exceptions=True):
        assert isinstance(outcome, SourceEnded)


async def test_on_the_real_clock_a_frame_comes_when_it_is_due(ordinary: Path) -> None:
    sources = await open_sources(ordinary, "none")
    assert sources.video is not None
    loop = asyncio.get_running_loop()
    for _ in range(5):
        frame = await sources.video.recv()
        assert loop.time() >= frame.time - 1e-4
    assert time.monotonic() >= frame.time - 1e-4
    await sources.close()


def _assert_contiguous(stamps: list[int]) -> None:
    steps = {b - a for a, b in zip(stamps, stamps[1:], strict=False)}
    assert steps == {AUDIO_SAMPLES}
