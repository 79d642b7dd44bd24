"""What is in Redis alone, and not in the replica of a node: chat, and what happened in rooms."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from roomcall.protocol.replies import ChatMessage

from ...rooms.history import RoomEvent
from ..base import CLOSED_FOR, KeptEvent
from ..records import microseconds
from .wire import Argument

PAGE = 1000  # events that are read at once

_messages = msgspec.json.Decoder(ChatMessage)
_events = msgspec.json.Decoder(RoomEvent)


class Keeping:
    """`call(name, command…)` asks Redis. The methods are as those of `Store`."""

    def __init__(self, prefix: str, call: Callable[..., Awaitable[Any]]) -> None:
        self._prefix = prefix
        self._call = call

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        below = "+inf" if before is None else f"({before}"
        found = await self._call(
            *("chat", "ZREVRANGEBYSCORE", f"{self._prefix}chat:{room}", below, "-inf"),
            *("LIMIT", 0, limit + 1),
        )
        return [_messages.decode(each) for each in found[:limit]][::-1], len(found) > limit

    async def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        found: list[KeptEvent] = []
        while len(found) < limit:
            count = limit if room is None else PAGE
            page = await self._page(f"{after + 1}-0", count)
            found += (event for event in page if room is None or event.room == room)
            if len(page) < count:
                break
            after = page[-1].id
        return found[:limit]

    async def purge(self, now: datetime, days: float) -> None:
        closed = microseconds(now - CLOSED_FOR)
        key = f"{self._prefix}closed"
        await self._call("purge", "ZREMRANGEBYSCORE", key, "-inf", closed)
        kept = now - timedelta(days=days)
        while page := await self._page("-", PAGE):
            stays = next((event.id for event in page if event.event.at >= kept), page[-1].id + 1)
            if stays == page[0].id:
                break
            await self._call("purge", "XTRIM", f"{self._prefix}events", "MINID", stays)
            if stays <= page[-1].id:
                break

    async def _page(self, first: Argument, count: int) -> list[KeptEvent]:
        command = ("XRANGE", f"{self._prefix}events", first, "+", "COUNT", count)
        rows = await self._call("events", *command)
        return [
            KeptEvent(int(id.partition(b"-")[0]), room.decode(), _events.decode(event))
            for id, (room, event) in rows
        ]
