"""What do others notice of one with a bad network? `make bench BENCH=slow`, or with less:
`make bench BENCH=slow ARGS="--rounds 1 --seconds 8"`.

One publisher of 640×360 at 30 pictures a second to four receivers in another process, one of them
with a good network, with 10 % loss, or with 200 kbit/s. It takes 11 minutes.

The table has, as medians of the rounds: the pictures a second that came to the three others, of the
one that got least, and to the one; the key frames that came to the three a minute; and the shortest
time between two of them in all rounds.
"""

import asyncio
import statistics
from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

import roomcall
import roomcall_server

from .receiving import publisher, received, receivers

NETWORKS = {"good": None, "10 % loss": "recv.loss=10%,seed=7", "200 kbit/s": "recv.rate=200kbit"}
SIZE = "640x360"
OTHERS = 3
WARM_UP = 3.0  # seconds: then nobody's first key frame is late


class Seen(NamedTuple):
    """Pictures a second, key frames a minute, and the seconds between two of them."""

    others: float
    one: float
    key_frames: float
    shortest: float


async def measure(codec: str, network: str | None, seconds: float) -> Seen:
    async with (
        roomcall_server.serve() as server,
        publisher("roomcall", server.url, codec, SIZE),
        receivers(server.url, [*[None] * OTHERS, network]) as calls,
    ):
        await asyncio.sleep(WARM_UP)
        before = await received(calls)
        watching = [asyncio.create_task(_key_frames(call, seconds)) for call in calls[:OTHERS]]
        times = [await task for task in watching]
        after = await received(calls)
        rates = [(n - m) / seconds for (n, _), (m, _) in zip(after, before, strict=True)]
        gaps = [b - a for each in times for a, b in pairwise(each)]
        most = max(map(len, times))
        return Seen(
            min(rates[:OTHERS]), rates[OTHERS], 60 * most / seconds, min(gaps, default=seconds)
        )


async def _key_frames(call: roomcall.Call, seconds: float) -> list[float]:
    """When they came."""
    (peer,) = call.peers.values()
    assert peer.video is not None, "its first frame has come"
    loop = asyncio.get_running_loop()
    times = []
    try:
        async with asyncio.timeout(seconds), aclosing(peer.video.packets()) as packets:
            async for packet in packets:
                if packet.keyframe:
                    times.append(loop.time())  # noqa: PERF401 - it is cut off in the middle
    except TimeoutError:
        pass
    return times


def row_of(rounds: Sequence[Seen]) -> list[str]:
    others, one, key_frames, _ = (statistics.median(c) for c in zip(*rounds, strict=True))
    shortest = min(seen.shortest for seen in rounds)
    return [f"{others:.1f}", f"{one:.1f}", f"{key_frames:.0f}", f"{shortest:.1f} s"]


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True, help="The median of so many is shown.")
@click.option("--seconds", default=15.0, show_default=True, help="How long each is measured.")
@click.option("--codec", "codecs", default="h264,vp8", show_default=True)
def main(rounds: int, seconds: float, codecs: str) -> None:
    table = Table("codec", "one has", title="three receivers beside one", title_justify="left")
    for column in ("fps of others", "fps of it", "key frames/min", "shortest apart"):
        table.add_column(column, justify="right")
    for codec in codecs.split(","):
        for name, network in NETWORKS.items():
            seen = [asyncio.run(measure(codec, network, seconds)) for _ in range(rounds)]
            table.add_row(codec, name, *row_of(seen))
    Console().print(table)


if __name__ == "__main__":
    main()
