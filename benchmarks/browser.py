"""What does it cost beside a browser? `make bench BENCH=browser`, or with less:
`make bench BENCH=browser ARGS="--rounds 1"`. It needs Debian's chromium.

Headless Chromium with its fake camera, and `roomcall join --video testsrc`, send 1280×720 at 20
pictures a second, VP8 at 2 Mbit/s and no sound, to 8 receivers in another process, one after the
other in every round. It takes 3 minutes.

The table has, as medians of the rounds: CPU milliseconds a picture (of all its processes together),
that beside the browser's, its memory (PSS), and the pictures and kbit a second that came to the
receiver that got least.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

import click
import psutil
from rich.console import Console
from rich.table import Table

import roomcall_server

from .publisher import NAME
from .receiving import ROOM, cpu_of, median, receivers, watch

WIDTH, HEIGHT, FPS, KBIT = 1280, 720, 20, 2000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
# Answers whoever offers, with the camera and all candidates at once; the offers have VP8 alone.
PUBLISH = r"""async ({room, name, width, height, fps, kbit}) => {
  const video = {width, height, frameRate: fps};
  const [track] = (await navigator.mediaDevices.getUserMedia({video})).getVideoTracks();
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
  const tell = (message) => socket.send(JSON.stringify(message));
  window.connections = [];
  async function answer(roomId, to, {sdp, callId}) {
    const connection = new RTCPeerConnection();
    connections.push(connection);
    // Else it begins at 300 kbit/s, at half the size.
    const rate = `x-google-min-bitrate=${kbit};x-google-start-bitrate=${kbit}`;
    sdp = sdp.replace(/a=rtpmap:(\d+) VP8\/90000/g, `$&\r\na=fmtp:$1 ${rate}`);
    await connection.setRemoteDescription({type: "offer", sdp});
    const transceiver = connection.getTransceivers().find((t) => t.receiver.track.kind === "video");
    await transceiver.sender.replaceTrack(track);
    transceiver.direction = "sendonly";
    await connection.setLocalDescription();
    const sent = transceiver.sender.getParameters();
    sent.degradationPreference = "maintain-resolution";
    await transceiver.sender.setParameters(sent);
    while (connection.iceGatheringState !== "complete")
      await new Promise((resolve) => connection.addEventListener(
        "icegatheringstatechange", resolve, {once: true}));
    const payload = {type: "answer", sdp: connection.localDescription.sdp, callId};
    tell({type: "answer", roomId, to, payload});
  }
  await new Promise((resolve, reject) => {
    socket.onerror = reject;
    socket.onmessage = ({data}) => {
      const {type, payload, from, roomId} = JSON.parse(data);
      if (type === "client-id")
        tell({type: "join-room", payload: {name: room, create: true, displayName: name}});
      if (type === "room-joined") resolve();
      if (type === "offer") answer(roomId, from, payload).catch(console.error);
    };
  });
}"""


class Cost(NamedTuple):
    """CPU milliseconds a picture, MB; and what came a second."""

    cpu: float
    memory: float
    fps: float
    kbit: float


@asynccontextmanager
async def chromium(server: str) -> AsyncIterator[list[psutil.Process]]:
    from playwright.async_api import async_playwright

    known = set(psutil.Process().children(recursive=True))
    with tempfile.TemporaryDirectory() as folder:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                headless=True,
                args=FLAGS,
                env={"HOME": folder, "TMPDIR": folder},
            )
            page = await browser.new_page()
            await page.goto(server)
            size = {"width": WIDTH, "height": HEIGHT, "fps": FPS}
            await page.evaluate(PUBLISH, {"room": ROOM, "name": NAME, "kbit": KBIT, **size})
            children = set(psutil.Process().children(recursive=True)) - known
            yield [process for process in children if "chrom" in process.name()]
            await browser.close()


@asynccontextmanager
async def roomcall_join(server: str) -> AsyncIterator[list[psutil.Process]]:
    options = ("--size", f"{WIDTH}x{HEIGHT}", "--fps", str(FPS), "--video-codec", "vp8")
    rate = ("--video-bitrate", f"{KBIT}k")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "roomcall_cli", "join", ROOM, "--server", server, "--name", NAME),
        *("--video", "testsrc", "--audio", "none", *options, *rate, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert b"joined" in await process.stdout.readline()
    reading = asyncio.create_task(process.stdout.read())
    try:
        yield [psutil.Process(process.pid)]
    finally:
        process.kill()
        await process.wait()
        await reading


Publisher = Callable[[str], AbstractAsyncContextManager[list[psutil.Process]]]
PUBLISHERS: dict[str, Publisher] = {"chromium": chromium, "roomcall": roomcall_join}


async def measure(which: str, count: int, seconds: float) -> Cost:
    async with (
        roomcall_server.serve() as server,
        PUBLISHERS[which](server.url) as processes,
        receivers(server.url, [None] * count, video_codec="vp8") as calls,
    ):
        cpu, fps, kbit = await watch(lambda: sum(map(cpu_of, processes)), calls, seconds)
        for call in calls:
            for peer in (await call.stats()).values():
                assert peer["video"]["inbound"]["frameWidth"] == WIDTH, "the sender has scaled it"
        memory = sum(process.memory_full_info().pss for process in processes)
        return Cost(1000 * cpu / fps, memory / 1e6, fps, kbit)


async def _run(receivers: int, rounds: int, seconds: float) -> dict[str, Cost]:
    results: dict[str, list[Cost]] = {which: [] for which in PUBLISHERS}
    for _ in range(rounds):
        for which, costs in results.items():
            costs.append(await measure(which, receivers, seconds))
    return {which: median(costs) for which, costs in results.items()}


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="The median of so many is shown.")
@click.option("--seconds", default=8.0, show_default=True, help="How long each is measured.")
@click.option("--receivers", default=8, show_default=True)
def main(rounds: int, seconds: float, receivers: int) -> None:
    if shutil.which("chromium") is None:
        sys.exit("there is no chromium: install Debian's package")
    medians = asyncio.run(_run(receivers, rounds, seconds))
    table = Table(title=f"{WIDTH}×{HEIGHT} in VP8 to {receivers} receivers", title_justify="left")
    for column in ("", "ms a picture", "× chromium", "MB", "fps", "kbit/s"):
        table.add_column(column, justify="right")
    for which, (cpu, memory, fps, kbit) in medians.items():
        beside = f"{cpu / medians['chromium'].cpu:.2f}"
        table.add_row(which, f"{cpu:.1f}", beside, f"{memory:.0f}", f"{fps:.1f}", f"{kbit:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
