"""A server whose rooms are in a Redis, as its clients and its operator see it."""

from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.system("redis-server")


async def test_one_server(connect_to: Any, serve: Any, redis_url: str) -> None:
    async with serve(store=redis_url, direct_mode=True) as server:
        ann, ben, cem = [await connect_to(server.url) for _ in range(3)]
        room = await ann.create("standup")
        await ben.join(room)
        assert (await ann.hear("member-joined"))["member"]["id"] == ben.id
        await ann.say("offer", {"sdp": "v=0"}, roomId=room, to=ben.id)
        assert (await ben.hear("offer"))["payload"] == {"sdp": "v=0"}
        await ben.say("answer", {"sdp": "v=0"}, roomId=room, to=ann.id)
        await ben.say("ice-candidate", {"candidate": ""}, roomId=room, to=ann.id)
        for type in ("answer", "room-state", "ice-candidate"):
            await ann.hear(type)
        for number in (1, 2):
            assert (await ann.ask("chat", f"{number}", roomId=room))["id"] == number
        assert await ben.types() == ["room-state", "chat", "chat"]
        history = await ben.ask("chat-history", {"roomId": room, "limit": 1})
        assert [message["id"] for message in history["messages"]] == [2]
        assert history["hasMore"] is True
        rooms = await cem.ask("list-rooms", {})
        assert [row["participantCount"] for row in rooms["rooms"]] == [2]
        assert await cem.refused("create-room", {"name": "standup"}) == "name-taken"
        assert await cem.refused("close-room", {"roomId": room}) == "not-in-room"
        await ann.ask("close-room", {"roomId": room})
        await ben.hear("room-closed")
        assert await cem.refused("join-room", {"roomId": room}) == "room-not-found"
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{server.url}/metrics") as response,
        ):
            text = await response.text()
        commits = [line for line in text.splitlines() if 'call="commit"' in line]
        assert any("roomcall_store_call_seconds_bucket" in line for line in commits)
        assert "roomcall_store_call_errors_total" not in "".join(commits)
