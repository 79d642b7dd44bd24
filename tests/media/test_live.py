"""Devices and addresses: how they are named, read, opened again, and what is said of them."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from roomcall.errors import SourceError
from roomcall.media import marks
from roomcall.media.source import SourceEnded, VideoOptions
from roomcall.media.sources import open_sources
from roomcall.media.sources.inputs import input_of
from roomcall.testing.media import make_video

FPS, LENGTH = 15, 2
FRAMES = FPS * LENGTH


def test_what_names_an_input() -> None:
    options = VideoOptions(size=(320, 240), fps=10)
    camera = input_of("webcam", options, {})
    assert camera is not None
    assert (camera.address, camera.format) == ("/dev/video0", "v4l2")
    assert camera.options == {"video_size": "320x240", "framerate": "10"}
    for name, format, address in (
        ("/dev/video3", "v4l2", "/dev/video3"),
        ("mic", "alsa", "default"),
        ("hw:1,0", "alsa", "hw:1,0"),
        ("plughw:0", "alsa", "plughw:0"),
        ("screen", "x11grab", ":7"),
        ("rtsp://ann:secret@camera/1", None, "rtsp://ann:secret@camera/1"),
    ):
        found = input_of(name, VideoOptions(), {"DISPLAY": ":7"})
        assert found is not None
        assert (found.format, found.address) == (format, address)
        assert "secret" not in found.name
    for name in ("cam.mp4", "/dev/null", "a:b.mp4", "hw.mp4"):
        assert input_of(name, VideoOptions(), {}) is None
    with pytest.raises(ValueError, match="gopher:// is not known"):
        input_of("gopher://old/1", VideoOptions(), {})


class Host:
    """Serves one file, of which it may cut an answer short."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.url = ""
        self.asked = 0
        self.cut = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        response = web.StreamResponse(headers={"Content-Type": "video/mp2t"})
        await response.prepare(request)
        data = self._data[: len(self._data) // 2] if self.cut else self._data
        await response.write(data)
        return response


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "cam.ts"
    return make_video(path, seconds=LENGTH, fps=FPS, size=(160, 120), bframes=0, gop=FPS)


@pytest.fixture
async def host(stream: Path) -> AsyncIterator[Host]:
    served = Host(stream)
    app = web.Application()
    app.router.add_get("/cam.ts", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/cam.ts"
    yield served
    await runner.cleanup()


async def numbers(source: Any, count: int) -> list[int]:
    found = []
    last = float("-inf")
    async with asyncio.timeout(20):
        while len(found) < count:
            frame = await source.recv()
            assert frame.time > last
            last = frame.time
            mark = marks.read(frame)
            if mark is not None:
                found.append(mark.number)
    return found


async def test_a_file_at_an_address_is_played_in_time_and_begins_again(host: Host) -> None:
    sources = await open_sources(host.url)
    begun = asyncio.get_running_loop().time()
    found, sound = await asyncio.gather(numbers(sources.video, FRAMES + 5), sources.audio.recv())
    took = asyncio.get_running_loop().time() - begun
    whole = found[: FRAMES - 1] == list(range(FRAMES - 1)) and 0 in found[FRAMES - 2 :]
    assert whole or sources.video.frames_dropped  # as on a machine that is late itself
    assert took > LENGTH * 0.9  # not as fast as it comes
    assert sound.samples == 960
    assert host.asked >= 2
    await sources.close()


async def test_without_a_wish_for_more_its_end_is_the_end(host: Host) -> None:
    sources = await open_sources(host.url, "none", loop=False)
    with pytest.raises(SourceEnded):
        async with asyncio.timeout(20):
            while True:
                await sources.video.recv()
    await sources.close()


async def test_a_stream_that_breaks_off_is_opened_again(host: Host) -> None:
    sources = await open_sources(host.url, "none")
    await numbers(sources.video, 5)
    host.cut = True
    await numbers(sources.video, 2 * FRAMES)
    assert host.asked >= 3
    await sources.close()


@pytest.mark.parametrize(
    ("video", "audio", "said"),
    [
        ("http://ann:secret@127.0.0.1:9/cam.ts", None, r"^http://127\.0\.0\.1:9/cam\.ts cannot"),
        ("/dev/video99", None, "^/dev/video99 cannot be opened.*plug it in"),
        ("none", "hw:99,0", "^hw:99,0 cannot be opened"),
        ("gopher://old/1", None, "gopher:// is not known"),
    ],
)
async def test_what_cannot_be_opened_is_one_line(
    video: str, audio: str | None, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        await open_sources(video, audio)
    text = str(caught.value)
    assert "\n" not in text and "Error" not in text and "secret" not in text
    capfd.readouterr()  # ALSA speaks for itself


async def test_what_has_no_sound_is_said(tmp_path: Path, host: Host) -> None:
    silent = make_video(tmp_path / "mute.ts", seconds=1, audio=None, bframes=0)
    host._data = silent.read_bytes()
    with pytest.raises(SourceError, match="has no sound"):
        await open_sources("none", host.url)


@pytest.fixture
def display() -> Iterator[str]:
    """Of an X server of its own, with nothing on it."""
    told, telling = os.pipe()
    command = ["Xvfb", "-displayfd", str(telling), "-screen", "0", "320x240x24"]
    server = subprocess.Popen(
        command, pass_fds=[telling], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(telling)
    with open(told) as numbers:
        try:
            number = numbers.readline()  # empty if it ended
            assert number.endswith("\n"), "Xvfb ended"
            yield f":{number.strip()}"
        finally:
            server.terminate()
            server.wait(10)


@pytest.mark.system("xvfb", tool="Xvfb")
async def test_the_screen(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DISPLAY", display)
    sources = await open_sources("screen")
    assert sources.audio is None
    for _ in range(3):
        frame = await sources.video.recv()
        assert (frame.width, frame.height) == (320, 240)
    await sources.close()
