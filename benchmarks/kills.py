"""Recorders that are killed, and whether what they leave can be played."""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import roomcall_server

from .browser import FLAGS
from .recorders import MEDIUM, Speaker, line_with, recording, speaking
from .watching import Watched, watch


class Killed(NamedTuple):
    """A file whose recorder was killed `after` seconds. `missing`: seconds before the kill that are
    not in it; `shown`: seconds at its end that Chromium has not shown. `said`: by ffprobe."""

    name: str
    after: float
    missing: float
    shown: float
    said: str


async def kill(folder: Path, times: int, seed: int) -> list[Killed]:
    moments, found = random.Random(seed), []
    speakers = [Speaker("ann", MEDIUM), Speaker("bob", MEDIUM, "vp8")]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(roomcall_server.serve())
        for speaker in speakers:
            await stack.enter_async_context(speaking(server.url, speaker))
        for number in range(times):
            to, after = folder / f"killed {number}", moments.uniform(0.5, 10)
            async with recording(server.url, to) as recorder:
                await line_with(recorder, b'"started"', len(speakers))
                await asyncio.sleep(after)
                recorder.kill()
                killed = time.monotonic()
                await recorder.wait()
            found += [(to / f"{speaker.name}.mkv", after, killed) for speaker in speakers]
    async with playing() as play:
        results = []
        for path, after, killed in found:
            seen: Watched = await asyncio.to_thread(watch, path)
            missing = killed - seen.clocks[-1] if seen.clocks else after
            end = seen.times[-1] if seen.times else 0.0
            shown = end - await play(path)
            results.append(Killed(path.stem, after, missing, shown, await probe(path)))
        return results


async def probe(path: Path) -> str:
    """What ffprobe has to say against a file; "" is nothing."""
    command = ("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames")
    made = await asyncio.create_subprocess_exec(
        *command, str(path), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await made.communicate()
    return said.decode().strip() or ("" if made.returncode == 0 else f"exit {made.returncode}")


PLAY = """async () => {
  const video = document.createElement("video");
  let last = 0;
  const look = (now, { mediaTime }) => {
    last = mediaTime;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  document.body.replaceChildren(video);
  const ended = new Promise((resolve, reject) => {
    video.onended = () => setTimeout(resolve, 100);
    video.onerror = () => reject(new Error(video.error.message));
  });
  video.muted = true;
  video.src = URL.createObjectURL(window.chosen.files[0]);
  video.playbackRate = 4;
  await video.play();
  await ended;
  return last;
}"""


@asynccontextmanager
async def playing() -> AsyncIterator[Callable[[Path], Awaitable[float]]]:
    """Gives what plays a file in Chromium, and returns the time of the last picture shown."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), headless=True, args=FLAGS
        )
        page = await browser.new_page()

        async def play(path: Path) -> float:
            await page.set_content("<input type=file id=chosen>")
            await page.locator("#chosen").set_input_files(path)
            await page.evaluate("() => { window.chosen = document.querySelector('#chosen'); }")
            return float(await page.evaluate(PLAY))

        yield play
        await browser.close()
