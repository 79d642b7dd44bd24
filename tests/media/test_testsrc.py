"""The test source: paced, marked with the clock, and its flash in time with its beep."""

import asyncio
import threading

import pytest

from roomcall.media import marks
from roomcall.media.source import SourceEnded
from roomcall.media.sources import open_sources


async def test_frames_are_numbered_marked_and_stamped(opened, clock) -> None:
    sources = await opened("testsrc", "none")
    assert sources.audio is None
    for number in range(5):
        frame = await sources.video.recv()
        assert (frame.width, frame.height, frame.format.name) == (640, 360, "yuv420p")
        assert frame.time == pytest.approx(1000 + number / 30, abs=1e-4)
        assert clock.now() == pytest.approx(frame.time, abs=1e-4)
        mark = marks.read(frame)
        assert mark is not None and mark.number == number
        assert mark.clock == pytest.approx(frame.time, abs=0.001)


@pytest.mark.parametrize("fps", [None, 15.0, 29.97])
async def test_flash_and_beep_share_their_instants(opened, play, fps: float | None) -> None:
    played = await play(await opened("testsrc", fps=fps, size=(320, 240)), 4.5)
    assert len(played.flashes) == len(played.beeps) == 5
    assert played.offsets == pytest.approx([0.0] * 5, abs=0.002)
    assert {b - a for a, b in zip(played.sound_stamps, played.sound_stamps[1:], strict=False)} == {
        960
    }


async def test_sound_alone_and_odd_sizes(opened, play) -> None:
    sound = await opened(None, "testsrc")
    assert sound.video is None and sound.audio is not None
    played = await play(await opened("testsrc", "none", size=(321, 241)), 0.1)
    assert played.sizes == {(320, 240, "yuv420p")}


async def test_a_consumer_that_stood_still_gets_the_present(opened, clock) -> None:
    sources = await opened("testsrc", "none")
    await sources.video.recv()
    clock.time += 5
    frame = await sources.video.recv()
    assert frame.time == pytest.approx(clock.now(), abs=0.04)


async def test_closing_ends_a_waiting_reader() -> None:
    sources = await open_sources("testsrc", "none")
    assert sources.video is not None
    await sources.video.recv()
    waiting = asyncio.create_task(sources.video.recv())
    await asyncio.sleep(0)
    await sources.close()
    await sources.close()
    for reader in (waiting, sources.video.recv()):
        with pytest.raises(SourceEnded):
            await reader
    assert threading.active_count() == 1 or all(
        not thread.name.startswith("roomcall") for thread in threading.enumerate()
    )
