"""`roomcall record`"""

from typing import TYPE_CHECKING

import click

import roomcall

from ..following import beside, check_recording, leave_after, leave_when_empty, show
from ..options import (
    SECONDS,
    SETTINGS,
    Server,
    access_options,
    duration_option,
    ice_server_option,
    json_option,
    network_option,
    server_options,
)
from ..output import JsonLines, Output
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
@server_options
@click.option("--name", default="recorder", metavar="NAME", help="What the others see.")
@access_options
@duration_option("Leave after so many seconds.")
@click.option("--until-empty", is_flag=True, help="Leave when everybody else has left.")
@click.option(
    "--segment",
    type=SECONDS,
    metavar="SECONDS",
    help="Begin another file after so long, at a key frame.",
)
@ice_server_option
@network_option
@json_option
def command(
    room: str,
    output: str,
    server: Server,
    name: str,
    password: str | None,
    token: str | None,
    create: bool,
    wait_if_full: bool,
    reconnect_for: float,
    duration: float | None,
    until_empty: bool,
    segment: float | None,
    ice_server: tuple[dict[str, str], ...],
    network: str | None,
    json: bool,
) -> None:
    """Record ROOM: a Matroska file for each participant, with picture and sound as they came, and
    session.json, which says who, when, and how the files lie side by side.

    The others are told that it is recorded. What is written stays playable whatever happens.
    """

    async def run() -> None:
        table = None if json else _table()
        with JsonLines() if table is None else _lines(table) as shown:
            async with roomcall.join(
                room,
                server=server.url,
                ssl=server.ssl,
                name=name,
                password=password,
                token=token,
                create=create,
                wait_if_full=wait_if_full,
                ice_servers=ice_server,
                network=network,
                stats_interval=1,
                measure=False,  # nothing is decoded
                reconnect_for=reconnect_for,
                on_queued=lambda event: shown.event(event, ""),
            ) as call:
                recording = await call.record(output, segment=segment)
                if table is not None:
                    table.recording = recording
                work = [leave_after(duration, [call])] if duration else []
                if until_empty:
                    work.append(leave_when_empty(call))
                async with beside(*work):
                    with signals.answered_by(lambda: call.leave("interrupted")):
                        await show(call, shown)
                check_recording(recording)

    signals.run(run())


def _table() -> "RecordingTable":
    # rich loads only where people look
    from ..recordings import RecordingTable

    return RecordingTable()


def _lines(table: "RecordingTable") -> Output:
    from ..lines import Lines

    return Lines((roomcall.Event,), table)
