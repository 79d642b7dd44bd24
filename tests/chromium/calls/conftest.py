"""A page of our own that calls, in a real Chromium, and a peer of ours that it meets."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiohttp import web

import roomcall
import roomcall_server
from tests.machine import Load

PAGE = Path(__file__).with_name("page.html")
SEEING = 20.0  # seconds for what is to be seen, on a machine that is busy
STILL = 2.0  # seconds for which a picture stands still where nothing is lost


class Page:
    """A page that is in a room, or will be. `run` evaluates JavaScript there."""

    def __init__(self, chromium: Any, page: Any, server: str) -> None:
        self._chromium = chromium
        self._page = page
        self._server = server
        self.id = ""

    async def enter(self, room: str, **options: Any) -> None:
        options = {"server": self._server, "room": room, **options}
        self.id = await self.run("options => enter(options)", options)

    async def run(self, script: str, argument: Any = None) -> Any:
        return await self._chromium.do(self._page.evaluate(script, argument))

    async def until(self, condition: str, timeout: float = SEEING) -> None:
        """Waits until an expression is true there."""
        waiting = self._page.wait_for_function(condition, timeout=timeout * 1000)
        await self._chromium.do(waiting)

    async def deny(self) -> None:
        """Neither camera nor microphone: by itself the browser of the tests gives both."""
        await self._chromium.do(self._page.context.grant_permissions([]))

    async def close(self) -> None:
        await self._chromium.do(self._page.context.close())


class Meeting:
    """A page and a peer of ours in one room, and when each frame of the page's came."""

    def __init__(self, page: Page, call: roomcall.Call) -> None:
        self.page = page
        self.call = call
        self.times: dict[str, list[float]] = {"video": [], "audio": []}  # of `loop.time()`
        self._loop = asyncio.get_running_loop()
        self._load = Load()
        self._came = asyncio.Condition()
        self._watching = [asyncio.create_task(self._watch(kind)) for kind in self.times]

    @property
    def peer(self) -> roomcall.Peer:
        """The page, as our peer sees it."""
        return self.call.peers[self.page.id]

    async def inbound(self) -> dict[str, Any]:
        stats: dict[str, Any] = (await self.call.stats())[self.page.id]["video"]["inbound"]
        return stats

    async def goes_on(self, pictures: int = 3) -> None:
        """Until so many more pictures, and some sound, have come at both ends."""
        try:
            async with asyncio.timeout(SEEING):
                await asyncio.gather(self._sees(pictures), self.page.run(f"sees({pictures})"))
        except TimeoutError:
            state = await self.page.run("state()")
            raise AssertionError(f"it stands still: {state}, {await self.call.stats()}") from None

    async def shows(self, width: int, height: int) -> None:
        """Until pictures of this size come to our peer."""
        async with asyncio.timeout(SEEING):
            async for frame in self.peer.video.frames():
                if (frame.width, frame.height) == (width, height):
                    return

    async def pause(self) -> tuple[float, float]:
        """The longest time without a picture so far, in seconds: here and at the page."""
        times = [*self.times["video"], self._loop.time()]
        here = max(b - a for a, b in zip(times, times[1:], strict=False))
        return here, await self.page.run("longestPause()") / 1000

    async def never_stood_still(self, *, lossless: bool = True) -> None:
        """At neither end; and no packet was lost, where the machine had time for all of them."""
        here, there = await self.pause()
        smooth = max(here, there) < STILL or self._load.is_saturated()
        assert smooth, f"longest pause {here:.2f} s, at the page {there:.2f} s"
        if lossless and not self._load.is_saturated():
            assert (await self.inbound())["packetsLost"] == 0
            assert (await self.page.run("received()"))["video"]["lost"] == 0

    async def end(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _watch(self, kind: str) -> None:
        added = await self.call.wait_for(roomcall.TrackAdded, None, kind=kind)
        async for _ in added.track.packets():
            self.times[kind].append(self._loop.time())
            async with self._came:
                self._came.notify_all()

    async def _sees(self, pictures: int) -> None:
        wanted = {
            "video": len(self.times["video"]) + pictures,
            "audio": len(self.times["audio"]) + 1,
        }
        async with self._came:
            await self._came.wait_for(
                lambda: all(len(self.times[kind]) >= wanted[kind] for kind in wanted)
            )


class Meet(Protocol):
    """`page`: the options of `enter` in `page.html`, and `denied`: a page without the right to a
    camera; `ours`: those of `roomcall.join`."""

    async def __call__(
        self, *, page_first: bool = False, page: dict[str, Any] | None = None, **ours: Any
    ) -> Meeting: ...


OpenPage = Callable[[], Awaitable[Page]]


@pytest.fixture
async def meet(open_page: OpenPage, peer: Any) -> AsyncIterator[Meet]:
    """Has a page and a peer of ours meet; whoever is first waits for the other's offer."""
    meetings: list[Meeting] = []
    rooms = itertools.count()

    async def meet(
        *, page_first: bool = False, page: dict[str, Any] | None = None, **ours: Any
    ) -> Meeting:
        room, options = f"room {next(rooms)}", {**page} if page else {}
        there = await open_page()
        if options.pop("denied", False):
            await there.deny()
        if page_first:
            await there.enter(room, **options)
        call = await peer(room, **{"video": "testsrc", "video_size": (320, 240), "fps": 15, **ours})
        if not page_first:
            if "polite" in options:
                options["than"] = call.id
            await there.enter(room, **options)
        meeting = Meeting(there, call)
        meetings.append(meeting)
        return meeting

    yield meet
    for meeting in meetings:
        await meeting.end()


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Where the page is."""

    async def give(request: web.Request) -> web.Response:
        return web.Response(text=PAGE.read_text(), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", give)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
async def room_server(address: str) -> AsyncIterator[roomcall_server.Server]:
    """One that lets the page in, which is not its own."""
    async with roomcall_server.serve(port=0, allow_origins=[address]) as server:
        yield server


@pytest.fixture
async def open_page(chromium: Any, address: str, room_server: Any) -> AsyncIterator[OpenPage]:
    """Opens pages, which have met no error by the end of the test."""
    pages: list[Page] = []

    async def open_one() -> Page:
        page = Page(chromium, await chromium.do(chromium.open_page(address)), room_server.url)
        pages.append(page)
        return page

    yield open_one
    errors = [await page.run("errors") for page in pages]
    for page in pages:
        await page.close()
    assert not any(errors), errors
