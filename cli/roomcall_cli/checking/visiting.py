"""`roomcall check --browser`: a Chromium that comes along by the page of the server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import click

from roomcall.checking.runs import Run
from roomcall.errors import RoomcallError
from roomcall.signaling.url import http_url

from ..browser import NoBrowser, join, open_browser
from .conduct import Progress
from .peers import Event

NAME = "browser"


@asynccontextmanager
async def visitor() -> AsyncIterator["Visitor"]:
    """Raises `click.UsageError` where there is no browser."""
    try:
        async with open_browser() as browser:
            yield Visitor(browser)
    except NoBrowser as error:
        raise click.UsageError(str(error)) from None


class Visitor:
    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._somebody_is_in = asyncio.Event()

    def told(self, see: Callable[[Run, Event], None]) -> Callable[[Run, Event], None]:
        """`see` that also lets it know when a peer of ours is in the room."""

        def see_both(run: Run, event: Event) -> None:
            if event["event"] == "joined":
                self._somebody_is_in.set()
            see(run, event)

        return see_both

    def visit(
        self, server: str, room: str, progress: Progress, **how: Any
    ) -> Coroutine[Any, Any, None]:
        """Joins when the room is there: then the page knows whether it has a password."""

        async def visit() -> None:
            await self._somebody_is_in.wait()
            try:
                await join(self._browser, http_url(server), room, NAME, **how)
            except RoomcallError as error:
                progress.note(f"{error} — open it in a browser to see why")

        return visit()
