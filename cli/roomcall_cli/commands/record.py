"""`roomcall record`"""

from typing import TYPE_CHECKING

import click

import roomcall

from ..calling import Calling, calling_options
from ..following import check_recording, leave_when_empty
from ..options import SECONDS, SETTINGS
from ..output import Output
from ..signals import signals

if TYPE_CHECKING:
    from ..recordings import RecordingTable


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall record standup -o recordings/monday
  roomcall record standup -o monday --until-empty --segment 600""",
)
@click.argument("room")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="The folder for its files; it is made.",
)
@click.option("--name", default="recorder", metavar="NAME", help="What the others see.")
@click.option("--until-empty", is_flag=True, help="Leave when everybody else has left.")
@click.option(
    "--segment",
    type=SECONDS,
    metavar="SECONDS",
    help="Begin another file after so long, at a key frame.",
)
@calling_options
def command(
    room: str,
    output: str,
    name: str,
    until_empty: bool,
    segment: float | None,
    calling: Calling,
) -> None:
    """Record ROOM: a Matroska file for each participant, with picture and sound as they came, and
    session.json, which says who, when, and how the files lie side by side.

    The others are told that it is recorded. What is written stays playable whatever happens.
    """

    async def run() -> None:
        table = None if calling.json else _table()
        with calling.shown(lambda: _lines(table)) as shown:
            joining = calling.join(
                room,
                shown,
                name=name,
                stats_interval=1,
                measure=False,  # nothing is decoded
            )
            async with joining as call:
                recording = await call.record(output, segment=segment)
                if table is not None:
                    table.recording = recording
                await calling.stay(call, shown, [leave_when_empty(call)] if until_empty else [])
                check_recording(recording)

    signals.run(run())


def _table() -> "RecordingTable":
    # rich loads only where people look
    from ..recordings import RecordingTable

    return RecordingTable()


def _lines(table: "RecordingTable | None") -> Output:
    from ..lines import Lines

    return Lines((roomcall.Event,), table)
