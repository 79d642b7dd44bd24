"""The public rooms of a server, over its WebSocket."""

from typing import TypeVar

import aiohttp
import msgspec

from roomcall.errors import ProtocolError, ServerUnreachable
from roomcall.protocol import codec
from roomcall.protocol.replies import ClientId, RoomsList
from roomcall.protocol.requests import ListRooms, ListRoomsPayload
from roomcall.protocol.room import RoomRow
from roomcall.signaling.url import websocket_url

from .options import Server

TIMEOUT = 10.0  # seconds for each answer
PAGE = 1000

R = TypeVar("R", ClientId, RoomsList)


async def list_rooms(server: Server, query: str) -> list[RoomRow]:
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
