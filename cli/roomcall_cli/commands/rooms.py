"""`roomcall rooms`"""

import sys
from typing import TypeVar

import aiohttp
import click
import msgspec

from roomcall.errors import ProtocolError, ServerUnreachable
from roomcall.protocol import codec
from roomcall.protocol.replies import ClientId, RoomsList
from roomcall.protocol.requests import ListRooms, ListRoomsPayload
from roomcall.protocol.room import RoomRow
from roomcall.signaling.url import websocket_url

from ..options import SETTINGS, Server, json_option, server_options
from ..output import is_quiet, write_json
from ..signals import signals

TIMEOUT = 10.0  # seconds for each answer
PAGE = 1000

R = TypeVar("R", ClientId, RoomsList)


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

    async def run() -> None:
        rooms = await _list(server, query)
        if json:
            for room in rooms:
                write_json(msgspec.to_builtins(room))
        else:
            _show(rooms)

    signals.run(run())


async def _list(server: Server, query: str) -> list[RoomRow]:
    """All pages. Raises `ServerUnreachable` or `ProtocolError`."""
    try:
        url = websocket_url(server.url)
    except ValueError as error:
        raise ServerUnreachable(f"{error} — give it as http://host:port") from None
    trust = True if server.ssl is None else server.ssl
    try:
        async with (
            aiohttp.ClientSession(trust_env=True) as session,
            session.ws_connect(url, ssl=trust, max_msg_size=0) as socket,
        ):
            await _receive(socket, server, ClientId)
            rooms: list[RoomRow] = []
            after = None
            while True:
                page = ListRoomsPayload(limit=PAGE, query=query, after=after)
                await socket.send_str(codec.encode(ListRooms(payload=page)).decode())
                reply = await _receive(socket, server, RoomsList)
                rooms += reply.rooms
                after = reply.next
                if after is None:
                    return rooms
    except aiohttp.ClientConnectorCertificateError:
        raise ServerUnreachable(
            f"the certificate of {server.url} is not trusted — name its authority with --ca-file"
        ) from None
    except aiohttp.WSServerHandshakeError as error:
        raise ProtocolError(
            f"{server.url} answers {error.status} instead of a WebSocket — is it a roomcall server?"
        ) from None
    except (aiohttp.ClientError, OSError, TimeoutError):
        raise ServerUnreachable(
            f"{server.url} cannot be reached — is `roomcall serve` running there?"
        ) from None


async def _receive(socket: aiohttp.ClientWebSocketResponse, server: Server, expected: type[R]) -> R:
    message = await socket.receive(TIMEOUT)
    try:
        reply = codec.decode_reply(message.data)
    except (msgspec.DecodeError, TypeError):  # TypeError: a close has a code, not a text
        reply = None
    if not isinstance(reply, expected):
        raise ProtocolError(f"{server.url} does not list its rooms — is it a roomcall server?")
    return reply


def _show(rooms: list[RoomRow]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..wording import printable

    if not rooms:
        if not is_quiet():
            click.echo("No public rooms. Make one: roomcall join NAME", err=True)
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
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
    Console(file=sys.stdout, highlight=False, soft_wrap=True).print(table)
