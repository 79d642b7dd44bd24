"""One that `benchmarks.recording` records, or `benchmarks.page` shows, a process: `testsrc` with
its flashes and beeps at 30 pictures a second.

It calls the member `--other` alone. It says `ready` when it has joined. Each line on stdin is
`mute KIND`, `unmute KIND`, or `came`: how many pictures have come of the other. With `--drift` its
clock is fast by so many parts of a million: that by which it sends, and that of its sender reports.
Its marks have that clock too.
"""

import asyncio
import datetime
import sys
import time
from typing import Any, cast

import click
from aiortc import clock

import roomcall

from .receiving import Selective, received

RECORDER = "recorder"


def drifted(moment: float, origin: float, drift: float) -> float:
    """What a clock says at a moment that agreed with ours at `origin`; `drift` in ppm."""
    return origin + (moment - origin) * (1 + drift * 1e-6)


class DriftingLoop(asyncio.SelectorEventLoop):
    """All times are `time.monotonic()`, but for the drift."""

    def __init__(self, origin: float, drift: float) -> None:
        super().__init__()
        self._drift = (origin, drift)

    def time(self) -> float:
        return drifted(time.monotonic(), *self._drift)


async def speak(server: str, room: str, name: str, other: str, options: dict[str, Any]) -> None:
    signaling = Selective(server, room, other, name)
    async with roomcall.join(room, signaling=signaling, video="testsrc", **options) as call:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            match line.split():
                case ["mute", kind]:
                    await call.mute(cast(Any, kind))
                case ["unmute", kind]:
                    await call.unmute(cast(Any, kind))
                case _:
                    print(sum(frames for frames, _ in await received([call])), flush=True)


@click.command()
@click.argument("server")
@click.argument("room")
@click.argument("name")
@click.argument("size", type=(int, int))
@click.option("--codec", default="h264")
@click.option("--other", default=RECORDER)
@click.option("--origin", type=float, default=0.0)
@click.option("--drift", type=float, default=0.0)
def main(
    server: str,
    room: str,
    name: str,
    size: tuple[int, int],
    codec: str,
    other: str,
    origin: float,
    drift: float,
) -> None:
    if drift:
        begun, wall = time.monotonic(), datetime.datetime.now(datetime.UTC)

        def current() -> datetime.datetime:
            now = drifted(time.monotonic(), origin, drift)
            return wall + datetime.timedelta(seconds=now - begun)

        clock.current_datetime = current
    options = {"video_size": size, "fps": 30, "video_codec": codec}
    with asyncio.Runner(loop_factory=lambda: DriftingLoop(origin, drift)) as runner:
        runner.run(speak(server, room, name, other, options))


if __name__ == "__main__":
    main()
