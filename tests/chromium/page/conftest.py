"""The page at `/` in a real Chromium, used as a person uses it: by labels and roles."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import roomcall_server
from tests.machine import Load

SEEING = 20.0  # seconds for what is to be seen on a page, on a machine that is busy
STILL = 4.0  # seconds for which no picture may stand still
GRACE = 120.0  # seconds for which the server knows who is away: such a machine takes its time

# How many pictures each tile's video has shown; counted by the browser's own callback.
COUNT_PICTURES = """() => {
  window.shown ??= new Map();
  for (const video of document.querySelectorAll(".tile:not(:first-child) video")) {
    if (shown.has(video)) continue;
    const times = [];
    shown.set(video, times);
    const look = () => {
      times.push(performance.now());
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
}"""
# In seconds, also up to now; a video that is gone or new has its gap all the same.
LONGEST_GAP = """() => {
  const gaps = [...shown.values()].flatMap((times) =>
    [...times.slice(1), performance.now()].map((time, index) => time - times[index]));
  return Math.max(...gaps) / 1000;
}"""
UNTIL = """async (given) => {
  const condition = %s;
  while (!(await condition(given))) await new Promise((resolve) => setTimeout(resolve, 30));
}"""


class Visitor:
    """Somebody at the page. Names are those that a screen reader says."""

    def __init__(self, do: Callable[[Any], Awaitable[Any]], page: Any, url: str) -> None:
        self._do = do
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self._load = Load()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._on_console)

    def _on_console(self, message: Any) -> None:
        # A server that is away is said by the browser as well.
        if message.type == "error" and "WebSocket" not in message.text:
            self.errors.append(message.text)

    async def go(self, where: str = "/") -> None:
        await self._do(self.page.goto(self.url + where))

    async def close(self) -> None:
        await self._do(self.page.context.close())

    async def reload(self) -> None:
        await self._do(self.page.reload())

    async def join(self, room: str, name: str, password: str | None = None) -> None:
        """By the link of the room, and the preview."""
        await self.go(f"/#/room/{room}")
        await self.fill("Your name", name)
        if password is not None:
            await self.fill("Password of the room", password)
        await self.click("Join")

    async def is_in_call(self) -> None:
        await self.see(".call")

    async def click(self, name: str, role: str = "button") -> None:
        target = self.page.get_by_role(role, name=name, exact=True)
        await self._do(target.click(timeout=SEEING * 1000))

    async def toggle(self, panel: str) -> None:
        """The panel `chat` or `people`."""
        await self._do(self.page.locator(f"#toggle-{panel}").click(timeout=SEEING * 1000))

    async def fill(self, label: str, text: str) -> None:
        field = self.page.get_by_label(label, exact=True)
        await self._do(field.fill(text, timeout=SEEING * 1000))

    async def choose(self, label: str, option: str) -> None:
        field = self.page.get_by_label(label, exact=True)
        await self._do(field.select_option(label=option, timeout=SEEING * 1000))

    async def upload(self, path: Any) -> None:
        await self._do(self.page.locator("input[type=file]").set_input_files(path))

    async def press(self, key: str) -> None:
        await self._do(self.page.keyboard.press(key))

    async def see(self, selector: str, text: str | None = None) -> None:
        """Wait until there is such a thing, with this text in it."""
        found = self.page.locator(selector)
        if text is not None:
            found = found.filter(has_text=text)
        await self._do(found.first.wait_for(state="visible", timeout=SEEING * 1000))

    async def see_no(self, selector: str) -> None:
        found = self.page.locator(selector).first
        await self._do(found.wait_for(state="hidden", timeout=SEEING * 1000))

    async def text(self, selector: str) -> str:
        return str(await self._do(self.page.locator(selector).first.inner_text()))

    async def run(self, script: str, argument: Any = None) -> Any:
        return await self._do(self.page.evaluate(script, argument))

    async def until(self, condition: str, argument: Any = None, timeout: float = SEEING) -> None:
        """Wait until a function is true there. (The page's policy forbids playwright's own way.)"""
        async with asyncio.timeout(timeout):
            await self.run(UNTIL % condition, argument)

    async def pictures(self, tiles: int, more: int = 10) -> None:
        """Wait until so many others each show some pictures more."""
        await self.until(f"() => document.querySelectorAll('.tile').length === {tiles + 1}")
        await self.run(COUNT_PICTURES)
        await self.run(
            "() => { window.before = new Map([...shown].map(([v, t]) => [v, t.length])); }"
        )
        # Who comes back has another tile, maybe only now: it is counted too.
        await self.until(
            f"([tiles, more]) => (({COUNT_PICTURES})(), [...shown]"
            ".filter(([video, times]) => video.isConnected"
            " && times.length >= (before.get(video) ?? 0) + more).length === tiles)",
            [tiles, more],
        )

    async def never_stood_still(self) -> None:
        """Since `pictures` was called first each other has shown one picture after the other, as
        far as the machine had time for it."""
        gap = float(await self.run(LONGEST_GAP))
        assert gap < STILL or self._load.is_saturated(), f"{gap:.1f} s without a picture"


Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def room_server() -> AsyncIterator[roomcall_server.Server]:
    async with roomcall_server.serve(resume_grace=GRACE) as server:
        yield server


@pytest.fixture
async def visit(chromium: Any, room_server: roomcall_server.Server) -> AsyncIterator[Visit]:
    """Opens the page, at the server of the test or at another way to it. By the end of the test it
    has met no error."""
    visitors: list[Visitor] = []

    async def enter(url: str) -> Visitor:
        """In the thread of the browser, as it also subscribes to what the page tells."""
        return Visitor(chromium.do, await chromium.open_page("about:blank"), url)

    async def open_one(url: str = room_server.url) -> Visitor:
        visitors.append(await chromium.do(enter(url)))
        return visitors[-1]

    yield open_one
    for visitor in visitors:
        await visitor.close()
    errors = [error for visitor in visitors for error in visitor.errors]
    assert not errors, errors
