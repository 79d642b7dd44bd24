"""A real Chromium: Debian's `chromium`, driven by playwright.

One browser serves the session. It lives in a thread with an event loop of its own, as each test has
another one.
"""

import asyncio
import contextlib
import shutil
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

STARTING = 60.0  # seconds for the browser, on a machine that is busy
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]


class Chromium:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chromium")
        self._stack = contextlib.AsyncExitStack()

    def start(self) -> None:
        self._thread.start()
        self._there(self._open()).result(STARTING)

    def stop(self) -> None:
        try:
            self._there(self._stack.aclose()).result(STARTING)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self._there(work))

    def _there(self, work: Coroutine[Any, Any, T]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _open(self) -> None:
        from playwright.async_api import async_playwright

        playwright = await self._stack.enter_async_context(async_playwright())
        self._browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            headless=True,
            args=FLAGS,
            env={"HOME": str(self._folder), "TMPDIR": str(self._folder)},
        )
        self._stack.push_async_callback(self._browser.close)

    async def open_page(self, address: str, **options: Any) -> Any:
        """In a window of its own: what is hidden shows no pictures. It has kept nothing."""
        context = await self._browser.new_context(**options)
        page = await context.new_page()
        await page.goto(address)
        return page


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    folder = tmp_path_factory.mktemp("chromium")
    browser = Chromium(folder)
    try:
        browser.start()
        yield browser
    finally:
        browser.stop()
        shutil.rmtree(folder)
