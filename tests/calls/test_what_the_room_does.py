"""What the room does to a call: muting, closing, and a server that goes and comes back."""

import asyncio
from typing import Any

import pytest

import roomcall
import roomcall_server
from roomcall.protocol import replies, requests
from roomcall.signaling.room import RoomClient


async def packets(call: roomcall.Call, peer: roomcall.Call, kind: str = "video") -> int:
    stats = await call.stats()
    return int(stats[peer.id][kind]["inbound"]["packetsReceived"])


async def test_muting_stops_a_kind_and_no_other(mesh: Any) -> None:
    ann, bob = await mesh(2, video_size=(160, 120), fps=15)
    await bob.wait_for(roomcall.FirstFrame, 10, kind="video", peer=bob.peers[ann.id])
    await ann.mute("video")
    updates = bob.peers[ann.id].audio.packets()
    for _ in range(10):  # what was on its way has come
        await anext(updates)
    before = await packets(bob, ann)
    for _ in range(30):
        await anext(updates)
    assert await packets(bob, ann) == before
    await updates.aclose()
    pictures = bob.peers[ann.id].video.packets()
    await ann.unmute("all")
    async with asyncio.timeout(5):
        await anext(pictures)
    await pictures.aclose()


async def test_the_host_mutes_and_the_client_stops_sending(room_server: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    bob = await peer("standup", name="bob", video="testsrc", video_size=(160, 120))
    await ann.wait_for(roomcall.FirstFrame, 10, kind="audio")
    client = ann._signaling
    assert isinstance(client, RoomClient)
    payload = requests.MuteMemberPayload(room_id=ann.room.id, member_id=bob.id, kind="all")
    await client._client.request(requests.MuteMember(payload=payload), replies.MemberUpdated)
    muted = await bob.wait_for(roomcall.Muted, 5)
    assert (muted.kind, muted.by) == ("all", ann.id)
    sounds = ann.peers[bob.id].audio.packets()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):  # far less than 50 packets, then nothing more
            for _ in range(50):
                await anext(sounds)
    await sounds.aclose()


async def test_a_server_that_is_back_in_time_is_not_noticed_by_media(peer: Any, way: Any) -> None:
    ann = await peer("standup", name="ann", server=way.url, video="testsrc", fps=15)
    bob = await peer("standup", name="bob", server=way.url, audio="testsrc")
    await bob.wait_for(roomcall.FirstFrame, 10, kind="video")
    pictures = bob.peers[ann.id].video.packets()
    way.blocked = True
    way.cut()
    for call in (ann, bob):
        await call.wait_for(roomcall.SignalingLost, 5)
    async with asyncio.timeout(5):
        for _ in range(15):
            await anext(pictures)
    way.blocked = False
    for call in (ann, bob):
        assert (await call.wait_for(roomcall.SignalingRestored, 10)).resumed
    async with asyncio.timeout(5):
        for _ in range(15):
            await anext(pictures)
    await pictures.aclose()
    await ann.chat("still here")
    await bob.wait_for(roomcall.ChatReceived, 5, text="still here")
    seen = [type(event) for event in await ended(bob)]
    assert roomcall.MemberLeft not in seen and roomcall.PeerDisconnected not in seen


async def ended(call: roomcall.Call) -> list[roomcall.Event]:
    """Everything that happened in a call, which ends with it."""
    await call.leave()
    return [event async for event in call]


async def test_a_server_that_has_forgotten_all_is_joined_again(peer: Any) -> None:
    async with roomcall_server.serve() as server:
        options = {"server": server.url, "video": "testsrc", "video_size": (160, 120), "fps": 15}
        ann = await peer("standup", name="ann", **options)
        bob = await peer("standup", name="bob", **options)
        await bob.wait_for(roomcall.FirstFrame, 10, kind="video")
    old = {ann.id, bob.id}
    async with roomcall_server.serve(port=server.port):
        for call in (ann, bob):
            restored = await call.wait_for(roomcall.SignalingRestored, 15)
            assert not restored.resumed and restored.id == call.id
        assert not old & {ann.id, bob.id}
        async with asyncio.timeout(15):
            async for event in bob:
                if isinstance(event, roomcall.PeerConnected) and event.peer.id == ann.id:
                    break
        await ann.leave()
        await bob.leave()


async def test_a_server_that_stays_away_ends_the_call_with_the_reason(peer: Any) -> None:
    async with roomcall_server.serve() as server:
        ann = await peer("standup", server=server.url, reconnect_for=0.2)
    left = await ann.wait_for(roomcall.Left, 10)
    assert left.reason == "server-lost"
    assert isinstance(ann.error, roomcall.ServerUnreachable)
