"""What the host can do, on real sockets: replies, what the others hear, and in what order."""

from typing import Any

import pytest

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def three(connect: Any) -> Any:
    """A host, two members and their room."""
    host, b, c = await connect(), await connect(), await connect()
    room = await host.create("room")
    await b.join(room)
    await c.join(room)
    await host.backlog()
    await b.backlog()
    return host, b, c, room


async def test_update_room(three: Any) -> None:
    host, b, c, room = three
    changes = {
        "name": "other",
        "maxParticipants": 2,
        "metadata": {"description": "x"},
        "locked": True,
        "emptyTtlSeconds": 60,
        "password": "open",
    }
    updated = await host.ask("update-room", {"roomId": room, **changes}, requestId=1)
    assert updated["requestId"] == 1
    seen = updated["room"]
    assert (seen["name"], seen["maxParticipants"], seen["locked"]) == ("other", 2, True)
    assert seen["metadata"] == {"description": "x", "private": False}
    assert seen["hasPassword"] is True
    assert seen["participants"] == [host.id, b.id, c.id]  # nobody is removed by the limit
    for wire in (b, c):
        assert await wire.hear() == {"type": "room-updated", "room": seen}
    private = {"roomId": room, "metadata": {"private": True}, "password": None}
    seen = (await host.ask("update-room", private))["room"]
    assert seen["metadata"] == {"description": "x", "private": True}
    assert seen["hasPassword"] is False
    assert (await host.ask("list-rooms"))["rooms"] == []


async def test_a_room_takes_no_name_that_is_taken(three: Any, connect: Any) -> None:
    host, _, _, room = three
    other = await connect()
    await other.create("other")
    rename = {"roomId": room, "name": "other"}
    assert await host.refused("update-room", rename) == "name-taken"
    hide = {**rename, "metadata": {"private": True}}
    assert (await host.ask("update-room", hide))["type"] == "room-updated"
    show = {"roomId": room, "metadata": {"private": False}}
    assert await host.refused("update-room", show) == "name-taken"
    assert (await host.ask("update-room", {**show, "name": "free"}))["type"] == "room-updated"
    assert (await other.ask("join-room", {"name": "free"}))["type"] == "room-joined"


async def test_lock(three: Any, connect: Any) -> None:
    host, _, _, room = three
    late = await connect()
    await host.ask("update-room", {"roomId": room, "locked": True})
    assert await late.refused("join-room", {"roomId": room}) == "room-locked"
    await host.ask("update-room", {"roomId": room, "locked": False})
    await late.join(room)


async def test_close_room(three: Any, connect: Any) -> None:
    host, b, c, room = three
    late = await connect()
    await host.ask("update-room", {"roomId": room, "maxParticipants": 3})
    assert (await late.ask("join-room", {"roomId": room, "waitIfFull": True}))["position"] == 1
    closed = await host.ask("close-room", {"roomId": room}, requestId="x")
    assert closed == {"type": "room-closed", "roomId": room, "requestId": "x"}
    assert await b.types() == ["room-updated", "room-closed"]
    assert await c.types() == ["room-updated", "room-closed"]
    assert await late.types() == ["room-closed"]
    assert await host.types() == []
    assert await b.refused("get-room", {"roomId": room}) == "room-not-found"
    again = {"roomId": room, "name": "room", "create": True}
    assert await b.refused("join-room", again) == "room-not-found"
    assert await b.create("room") != room


async def test_transfer_host(three: Any) -> None:
    host, b, c, room = three
    await host.say("transfer-host", {"roomId": room, "memberId": c.id}, requestId=1)
    for wire, more in ((host, {"requestId": 1}), (b, {}), (c, {})):
        assert await wire.hear() == {
            "type": "host-changed",
            "roomId": room,
            "host": c.id,
            **more,
        }
    assert await host.refused("close-room", {"roomId": room}) == "forbidden"
    members = (await c.ask("get-room", {"roomId": room}))["room"]["members"]
    roles = {member["id"]: member["role"] for member in members}
    assert roles == {host.id: "member", b.id: "member", c.id: "host"}
    assert await c.refused("transfer-host", {"roomId": room, "memberId": c.id}) == "bad-request"
    stranger = {"roomId": room, "memberId": NOWHERE}
    assert await c.refused("transfer-host", stranger) == "peer-not-found"
    assert await b.refused("transfer-host", stranger) == "forbidden"


async def test_remove_and_ban(three: Any) -> None:
    host, b, c, room = three
    await host.say(
        "remove-member",
        {"roomId": room, "memberId": b.id, "reason": "noise", "ban": True},
        requestId=9,
    )
    left = {
        "type": "member-left",
        "roomId": room,
        "memberId": b.id,
        "participants": [host.id, c.id],
        "reason": "removed",
    }
    assert await host.hear() == {**left, "requestId": 9}
    assert await c.backlog() == [left]
    assert await b.hear() == {"type": "removed", "roomId": room, "reason": "noise"}
    assert await b.refused("chat", "x", roomId=room) == "not-in-room"
    assert await b.refused("join-room", {"roomId": room}) == "banned"
    unban = {"roomId": room, "memberId": b.id}
    assert await c.refused("unban-member", unban) == "forbidden"
    assert await host.ask("unban-member", unban) == {
        "type": "member-unbanned",
        "roomId": room,
        "memberId": b.id,
    }
    assert await host.refused("unban-member", unban) == "peer-not-found"
    await b.join(room)
    await host.hear("member-joined")
    oneself = {"roomId": room, "memberId": host.id}
    assert await host.refused("remove-member", oneself) == "bad-request"


async def test_mute_and_media_state(three: Any) -> None:
    host, b, c, room = three
    mute = {"roomId": room, "memberId": b.id, "kind": "audio"}
    updated = await host.ask("mute-member", mute, requestId=1)
    assert updated["type"] == "member-updated"
    assert updated["member"]["id"] == b.id
    assert updated["member"]["audioMuted"] is True
    assert updated["member"]["videoMuted"] is False
    news = {key: value for key, value in updated.items() if key != "requestId"}
    assert await c.hear() == news
    assert await b.hear() == news
    assert await b.hear() == {"type": "muted", "roomId": room, "kind": "audio", "by": host.id}
    await host.ask("mute-member", mute)
    assert await b.types() == []  # told already
    said = await b.ask("set-media-state", {"roomId": room, "audioMuted": False, "recording": True})
    assert said["member"]["audioMuted"] is False
    assert said["member"]["recording"] is True
    assert await c.hear() == said
    assert await host.hear() == said
    assert await b.refused("mute-member", {**mute, "memberId": c.id}) == "forbidden"
    assert await host.refused("mute-member", {**mute, "kind": "smell"}) == "bad-request"
    assert await host.refused("mute-member", {**mute, "memberId": host.id}) == "bad-request"


async def test_the_order_of_refusals(three: Any, connect: Any) -> None:
    _, b, _, room = three
    stranger = await connect()
    for type, payload in [
        ("update-room", {}),
        ("close-room", {}),
        ("transfer-host", {"memberId": NOWHERE}),
        ("remove-member", {"memberId": NOWHERE}),
        ("unban-member", {"memberId": NOWHERE}),
        ("mute-member", {"memberId": NOWHERE, "kind": "all"}),
    ]:
        assert await b.refused(type, {"roomId": 5, **payload}) == "bad-request"
        assert await b.refused(type, {"roomId": NOWHERE, **payload}) == "room-not-found"
        assert await stranger.refused(type, {"roomId": room, **payload}) == "not-in-room"
        assert await b.refused(type, {"roomId": room, **payload}) == "forbidden"


async def test_chat_to_one_and_history(three: Any) -> None:
    host, b, c, room = three
    said = await host.ask("chat", "psst", roomId=room, to=b.id, requestId=4)
    assert (said["id"], said["to"], said["requestId"]) == (None, b.id, 4)
    heard = await b.hear("chat")
    assert (heard["id"], heard["to"], heard["from"]) == (None, b.id, host.id)
    assert await c.types() == []
    assert await host.refused("chat", "x", roomId=room, to=NOWHERE) == "peer-not-found"
    for number in range(1, 8):
        assert (await host.ask("chat", f"{number}", roomId=room))["id"] == number
    await b.backlog()
    page = await b.ask("chat-history", {"roomId": room, "limit": 3})
    assert [m["id"] for m in page["messages"]] == [5, 6, 7]
    assert page["hasMore"] is True
    assert page["messages"][0]["payload"] == "5"
    assert page["messages"][0]["from"] == host.id
    page = await b.ask("chat-history", {"roomId": room, "limit": 4, "before": 5}, requestId=2)
    assert [m["id"] for m in page["messages"]] == [1, 2, 3, 4]
    assert (page["hasMore"], page["requestId"]) == (False, 2)


async def test_history_is_for_members(three: Any, connect: Any) -> None:
    *_, room = three
    stranger = await connect()
    assert await stranger.refused("chat-history", {"roomId": room}) == "not-in-room"
    assert await stranger.refused("chat-history", {"roomId": NOWHERE}) == "room-not-found"
