"""What does it cost to read `testsrc`, with all the decoding that it takes?
`python -m benchmarks.reader`, or with `--size 640x360 --fps 30 --seconds 20`.

Pictures and sound are encoded beforehand. Then they are delivered in real time to the tracks of a
peer, with the reader and without it. The table has CPU seconds a second of each, and the
difference: the share of one core that the reader takes.
"""

import asyncio
import time
from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import click
from rich.console import Console
from rich.table import Table

from roomcall.media.codecs import is_key_frame
from roomcall.media.encoder import make_encoder
from roomcall.media.source import AUDIO_CLOCK, AUDIO_SAMPLES, VIDEO_CLOCK, VIDEO_TIME_BASE, Kind
from roomcall.media.sources.file import sound_frame
from roomcall.media.sources.testcard import Beeps, TestCard
from roomcall.peer.measuring import Measuring
from roomcall.peer.track import RemoteTrack

Sample = tuple[float, Kind, bytes]  # when it is due, in seconds


def pictures(codec: str, size: tuple[int, int], fps: int, seconds: int) -> Iterator[Sample]:
    encoder = make_encoder(codec, 200_000)
    card = TestCard(size, Fraction(fps))
    begun = time.monotonic()
    for number in range(fps * seconds):
        frame = card.frame(number, begun + number / fps)
        frame.pts, frame.time_base = round(number * VIDEO_CLOCK / fps), VIDEO_TIME_BASE
        for packet in encoder.encode(frame, number == 0):
            yield number / fps, "video", bytes(packet)


def sounds(seconds: int, fps: int) -> Iterator[Sample]:
    encoder, beeps = make_encoder("opus"), Beeps(Fraction(fps))
    for index in range(seconds * AUDIO_CLOCK // AUDIO_SAMPLES):
        start = index * AUDIO_SAMPLES
        for packet in encoder.encode(
            sound_frame(beeps.samples(start, AUDIO_SAMPLES), start), False
        ):
            yield start / AUDIO_CLOCK, "audio", bytes(packet)


async def deliver(samples: list[Sample], codec: str, measuring: Measuring | None) -> float:
    """CPU seconds a second."""

    async def request_key_frame() -> None:
        raise AssertionError("the first frame is one")

    codecs: dict[Kind, str] = {"video": codec, "audio": "opus"}
    nobody = cast(Any, SimpleNamespace(id="x", name="x"))
    tracks = {kind: RemoteTrack(nobody, kind, codecs[kind], request_key_frame) for kind in codecs}
    if measuring is not None:
        for track in tracks.values():
            measuring.watch(track)
        await asyncio.sleep(0.1)
    used, begun = time.process_time(), time.monotonic()
    for due, kind, data in samples:
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
        keyframe = kind == "audio" or is_key_frame(codecs[kind], data)
        tracks[kind].deliver(codecs[kind], data, 0, due, keyframe=keyframe)
    share = (time.process_time() - used) / (time.monotonic() - begun)
    if measuring is not None:
        report = measuring.report()
        assert {"latency", "avOffset"} <= report.keys() and not report["framesLost"], report
        await measuring.close()
    return share


async def measure(codec: str, size: tuple[int, int], fps: int, seconds: int) -> tuple[float, float]:
    samples = sorted([*pictures(codec, size, fps, seconds), *sounds(seconds, fps)])
    return await deliver(samples, codec, Measuring(lambda: True)), await deliver(
        samples, codec, None
    )


@click.command()
@click.option("--size", default="320x240", metavar="WxH")
@click.option("--fps", default=15)
@click.option("--seconds", default=20)
def main(size: str, fps: int, seconds: int) -> None:
    width, height = map(int, size.split("x"))
    table = Table("codec", "with reader", "without", "reader", title=f"{size} at {fps} fps")
    for codec in ("H264", "VP8"):
        reading, idle = asyncio.run(measure(codec, (width, height), fps, seconds))
        table.add_row(codec, f"{reading:.4f}", f"{idle:.4f}", f"{reading - idle:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
