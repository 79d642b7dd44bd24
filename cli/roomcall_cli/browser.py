"""A Chromium that joins a room by the server's own page, with test devices. Needs playwright.

Debian's and Google's are taken where they are on the path, else the one that playwright installs.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

from roomcall.errors import RoomcallError

_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-gpu",
)
JOIN_TIMEOUT = 30.0  # seconds


class NoBrowser(RoomcallError):
    """There is no browser here; the text says what to do."""


class BrowserPeer:
    """A page in a room: `id` is its client id, `page` playwright's."""

    def __init__(self, name: str, page: "Page") -> None:
        self.name = name
        self.page = page
        self._id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        page.on("websocket", lambda socket: socket.on("framereceived", self._heard))

    def __repr__(self) -> str:
        return f"<BrowserPeer {self.name}>"

    @property
    def id(self) -> str:
        return self._id.result()

    async def join(
        self, server: str, room: str, password: str | None = None, token: str | None = None
    ) -> None:
        """By the link of the room, and the preview. `server` is an http address."""
        query = "" if token is None else f"?token={quote(token, safe='')}"
        await self.page.goto(f"{server.rstrip('/')}/#/room/{quote(room, safe='')}{query}")
        await self.page.get_by_label("Your name", exact=True).fill(self.name)
        if password is not None:
            await self.page.get_by_label("Password of the room", exact=True).fill(password)
        await self.page.get_by_role("button", name="Join", exact=True).click()
        await self.page.locator(".call").first.wait_for()
        await self._id

    async def leave(self) -> None:
        """The page is closed."""
        await self.page.context.close()

    def _heard(self, frame: str | bytes) -> None:
        message: dict[str, Any] = json.loads(frame)
        if message.get("type") == "client-id" and not self._id.done():
            self._id.set_result(message["id"])


@asynccontextmanager
async def open_browser() -> "AsyncIterator[Browser]":
    """Raises `NoBrowser`."""
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise NoBrowser(
            "playwright drives the browser, and is missing — pip install 'roomcall[browser]'"
        ) from None
    async with async_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = next(filter(None, map(shutil.which, (*_COMMANDS, own))), None)
        if found is None:
            raise NoBrowser(
                "there is no Chromium — playwright install chromium, or install it for the system"
            )
        try:
            browser = await playwright.chromium.launch(
                executable_path=found,
                headless=True,
                args=_FLAGS,
                handle_sigint=False,  # it is ours to close
                handle_sigterm=False,
            )
        except Error as error:
            raise NoBrowser(
                f"Chromium does not start: {error.message.splitlines()[0]} — try it by hand"
            ) from None
        async with browser:
            yield browser


async def join(
    browser: "Browser",
    server: str,
    room: str,
    name: str,
    *,
    password: str | None = None,
    token: str | None = None,
    insecure: bool = False,
) -> BrowserPeer:
    """Raises `RoomcallError` where it does not come in. `insecure`: any certificate will do."""
    from playwright.async_api import Error

    context = await browser.new_context(ignore_https_errors=insecure)
    context.set_default_timeout(JOIN_TIMEOUT * 1000)
    peer = BrowserPeer(name, await context.new_page())
    try:
        await peer.join(server, room, password, token)
    except Error as error:
        said = error.message.splitlines()[0]
        raise RoomcallError(f"the page has not come into {room}: {said}") from None
    return peer
