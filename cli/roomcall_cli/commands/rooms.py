"""`roomcall rooms`"""

from typing import TYPE_CHECKING

import click

from ..options import SETTINGS, Server, json_option, reconnect_option, server_options, token_option
from ..output import is_quiet, write_json, write_note
from ..signals import signals

if TYPE_CHECKING:
    from rich.table import Table

    from roomcall.protocol.room import RoomRow
    from roomcall.signaling.client import ServerClient


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall rooms
  roomcall rooms --watch
  roomcall rooms --server https://rooms.example --json""",
)
@server_options
@token_option
@click.option("--query", default="", metavar="TEXT", help="Only rooms with this in their name.")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C, and show every change.")
@reconnect_option
@json_option
def command(
    server: Server, token: str | None, query: str, watch: bool, reconnect_for: float, json: bool
) -> None:
    """List the public rooms of a server.

    With --watch and --json a room is printed again when it has changed, and once more with
    "closed": true when it is gone.
    """
    from roomcall.signaling.client import ServerClient

    from ..listing import list_rooms

    async def run() -> None:
        patience = reconnect_for if watch else 0
        async with ServerClient(
            server.url, token=token, ssl=server.ssl, patience=patience
        ) as client:
            if not watch:
                _list(await list_rooms(client, query), json)
            elif json:
                await _watch_json(client, query)
            else:
                await _watch(client, query)

    signals.run(run())


def _list(rooms: "list[RoomRow]", json: bool) -> None:
    from msgspec import to_builtins

    from ..lines import stdout_console

    if json:
        for room in rooms:
            write_json(to_builtins(room))
    elif rooms:
        stdout_console().print(_table(rooms))
    else:
        write_note("No public rooms. Make one: roomcall join NAME")


async def _watch_json(client: "ServerClient", query: str) -> None:
    from msgspec import to_builtins

    from ..listing import watch_rooms

    before: dict[str, RoomRow] = {}
    async for rooms in watch_rooms(client, query):
        now = {room.id: room for room in rooms}
        for id, room in now.items():
            if before.get(id) != room:
                write_json(to_builtins(room))
        for id in before.keys() - now.keys():
            write_json({"id": id, "name": before[id].name, "closed": True})
        before = now


async def _watch(client: "ServerClient", query: str) -> None:
    """On a terminal one table that lives; else a table for every change."""
    import sys

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from ..lines import stdout_console
    from ..listing import watch_rooms

    if is_quiet() or not sys.stdout.isatty():
        async for rooms in watch_rooms(client, query):
            stdout_console().print(_table(rooms))
        return
    nobody = Text("no public rooms", style="dim")
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        async for rooms in watch_rooms(client, query):
            live.update(_table(rooms) if rooms else nobody, refresh=True)


def _table(rooms: "list[RoomRow]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from ..wording import printable

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
    return table
