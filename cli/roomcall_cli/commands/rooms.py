"""`roomcall rooms`"""

from typing import TYPE_CHECKING

import click

from ..options import SETTINGS, Server, json_option, server_options
from ..output import write_json, write_note
from ..signals import signals

if TYPE_CHECKING:
    from roomcall.protocol.room import RoomRow


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall rooms
  roomcall rooms --server https://rooms.example --json""",
)
@server_options
@click.option("--query", default="", metavar="TEXT", help="Only rooms with this in their name.")
@json_option
def command(server: Server, query: str, json: bool) -> None:
    """List the public rooms of a server."""
    from msgspec import to_builtins

    from ..listing import list_rooms

    async def run() -> None:
        rooms = await list_rooms(server, query)
        if json:
            for room in rooms:
                write_json(to_builtins(room))
        else:
            _show(rooms)

    signals.run(run())


def _show(rooms: "list[RoomRow]") -> None:
    from rich.table import Table
    from rich.text import Text

    from ..lines import stdout_console
    from ..wording import printable

    if not rooms:
        write_note("No public rooms. Make one: roomcall join NAME")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("room", "members", "state", "", "id"):
        table.add_column(title, justify="right" if title == "members" else "left")
    for room in rooms:
        limit = f"/{room.max_participants}" if room.max_participants else ""
        marks = [*(["password"] if room.has_password else []), *(["locked"] if room.locked else [])]
        table.add_row(
            Text(printable(room.name)),
            f"{room.participant_count}{limit}",
            room.state.value.lower().replace("_", " "),
            " ".join(marks),
            room.id,
        )
    stdout_console().print(table)
