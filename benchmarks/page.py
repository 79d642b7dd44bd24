"""Does the page show everybody, smoothly? `make bench BENCH=page`, or with less:
`make bench BENCH=page ARGS="--seconds 10"`. It needs Debian's chromium.

Three headless peers, each a process, send `testsrc` at 30 pictures a second to a page in Chromium,
which sends them the picture of its test camera; at 320×240, then at 640×360. In the middle the page
restarts ICE with all of them.

The table has, of whom it is least: the pictures a second that the page has decoded of a peer, those
that it has shown, and those that a peer got of the page; the longest time without a new picture on
the page, the restart included; the same for the seconds after the restart; and script errors.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table

import roomcall_server
from roomcall_cli.browser import BrowserPeer, open_browser

from .recorders import PATIENCE, ROOM, Process, line_with, process, tell

NAME = "page"
SIZES = ((320, 240), (640, 360))
PEERS = 3
WARM_UP = 5.0  # seconds
# By the id of each peer: pictures decoded so far; when each was shown, in seconds.
WATCH = """async () => {
  const { app } = await import("/page/main.js");
  window.call = app.call;
  window.shown = [];
  for (const video of document.querySelectorAll(".tile:not(:first-child) video")) {
    const times = [];
    shown.push(times);
    const look = () => {
      times.push(performance.now() / 1000);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
}"""
LOOK = """async () => {
  const decoded = [];
  for (const peer of call.mesh.peers.values()) {
    await peer.measure();
    const flows = peer.figures?.flows ?? [];
    decoded.push(flows.find(({ kind, way }) => kind === "video" && way === "in")?.frames ?? 0);
  }
  return { now: performance.now() / 1000, decoded, shown };
}"""
RESTART = "() => { for (const peer of call.mesh.peers.values()) peer.restart(); }"
READY = """async (count) => {
  const { app } = await import("/page/main.js");
  const shows = ({ figures }) => figures?.flows.some(
    ({ kind, way, frames }) => kind === "video" && way === "in" && frames > 0);
  while ([...app.call.mesh.peers.values()].filter(shows).length < count) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}"""


class Figures(NamedTuple):
    decoded: float
    shown: float
    sent: float
    gap: float
    after: float  # decoded a second, after the restart
    errors: int


async def measure(size: tuple[int, int], seconds: float) -> Figures:
    errors: list[str] = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(roomcall_server.serve())
        browser = await stack.enter_async_context(open_browser())
        context = await browser.new_context()
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.extend([said.text] * (said.type == "error")))
        peer = BrowserPeer(NAME, page)
        await peer.join(server.url, ROOM)
        peers = []
        for number in range(PEERS):
            given = (server.url, ROOM, f"peer {number}", *map(str, size), "--other", NAME)
            peers.append(await stack.enter_async_context(process("benchmarks.speaker", *given)))
            await line_with(peers[-1], b"ready")
        async with asyncio.timeout(PATIENCE):
            await page.evaluate(READY, PEERS)
        await page.evaluate(WATCH)
        await asyncio.sleep(WARM_UP)
        begun, came = await page.evaluate(LOOK), await _came(peers)
        await asyncio.sleep(seconds / 2)
        middle = await page.evaluate(LOOK)
        await page.evaluate(RESTART)
        await asyncio.sleep(seconds / 2)
        ended, sent = await page.evaluate(LOOK), await _came(peers)
    whole = ended["now"] - begun["now"]
    times = [[t for t in of_one if t > begun["now"]] for of_one in ended["shown"]]
    assert len(times) == PEERS
    return Figures(
        decoded=_least(begun, ended),
        shown=min(map(len, times)) / whole,
        sent=min(b - a for a, b in zip(came, sent, strict=True)) / whole,
        gap=max(_gap([begun["now"], *of_one, ended["now"]]) for of_one in times),
        after=_least(middle, ended),
        errors=len(errors),
    )


def _least(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Pictures decoded a second."""
    pairs = zip(before["decoded"], after["decoded"], strict=True)
    return float(min(b - a for a, b in pairs) / (after["now"] - before["now"]))


def _gap(times: list[float]) -> float:
    return max(b - a for a, b in zip(times, times[1:], strict=False))


async def _came(peers: list[Process]) -> list[int]:
    found = []
    for peer in peers:
        assert peer.stdout is not None
        tell(peer, "came")
        found.append(int(await peer.stdout.readline()))
    return found


@click.command(help=__doc__)
@click.option("--seconds", default=60.0, show_default=True)
def main(seconds: float) -> None:
    table = Table(title=f"{PEERS} peers and a page", title_justify="left")
    for column in (
        *("", "decoded a second", "shown", "of the page", "longest gap, s"),
        *("decoded after a restart", "errors", "load"),
    ):
        table.add_column(column, justify="right")
    for width, height in SIZES:
        figures = asyncio.run(measure((width, height), seconds))
        *rates, gap, after, errors = figures
        shown = [f"{rate:.1f}" for rate in rates]
        load = f"{os.getloadavg()[0]:.1f}"
        table.add_row(f"{width}×{height}", *shown, f"{gap:.2f}", f"{after:.1f}", str(errors), load)
    Console().print(table)


if __name__ == "__main__":
    main()
