"""`roomcall compose`"""

import asyncio
import time
from pathlib import Path

import click

from ..options import SETTINGS, Size
from ..output import write_note
from ..signals import signals


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall compose monday -o monday.mp4
  roomcall compose monday -o monday.webm --size 1920x1080""",
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Such as all.mp4, all.mkv or all.webm; it is written over.",
)
@click.option("--size", type=Size(), default="1280x720", help="Of the whole picture.")
def command(folder: Path, output: Path, size: tuple[int, int]) -> None:
    """Make one video of the recording in FOLDER: all pictures in a grid, all sounds mixed.

    Who comes and goes appears and disappears at the right time. Ctrl-C ends it there, and the file
    is finished.
    """
    from roomcall.recording.composing import compose

    begun, stopped = time.monotonic(), False

    async def stop() -> None:
        nonlocal stopped
        stopped = True

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def on_progress(done: float, whole: float) -> bool:
            left = (time.monotonic() - begun) * (whole - done) / done
            if round(done) % 10 == 0:
                note = f"{done:.0f} of {whole:.0f} s, {left:.0f} s to go"
                loop.call_soon_threadsafe(write_note, note)  # whether it is wanted, it knows there
            return not stopped

        with signals.answered_by(stop):
            even = size[0] & ~1, size[1] & ~1
            seconds = await asyncio.to_thread(
                compose, folder, output, size=even, on_progress=on_progress
            )
        write_note(f"{output} has {seconds:.1f} s")

    signals.run(run())
