"""The public rooms of a server, over its WebSocket."""

import asyncio
from collections.abc import AsyncIterator

from roomcall.errors import ServerUnreachable
from roomcall.protocol.replies import RoomsList
from roomcall.protocol.requests import ListRooms, ListRoomsPayload
from roomcall.protocol.room import RoomRow
from roomcall.signaling.client import ServerClient

PAGE = 1000
WATCH_INTERVAL = 1.0


async def list_rooms(client: ServerClient, query: str) -> list[RoomRow]:
    """All pages. Raises what `ServerClient.request` raises."""
    rooms: list[RoomRow] = []
    after = None
    while True:
        wanted = ListRooms(payload=ListRoomsPayload(limit=PAGE, query=query, after=after))
        page = await client.request(wanted, RoomsList)
        rooms += page.rooms
        after = page.next
        if after is None:
            return rooms


async def watch_rooms(client: ServerClient, query: str) -> AsyncIterator[list[RoomRow]]:
    """The rooms now, and whenever they have changed. Raises as `list_rooms`, except while a lost
    server is tried again."""
    before: list[RoomRow] | None = None
    while True:
        try:
            rooms = await list_rooms(client, query)
        except ServerUnreachable:
            if client.ended:
                raise
            continue
        if rooms != before:
            yield rooms
        before = rooms
        await asyncio.sleep(WATCH_INTERVAL)
