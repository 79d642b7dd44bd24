"""What the room does to a call: muting, closing, and a server that goes and comes back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import roomcall
import roomcall_server
from roomcall.media import marks
from roomcall.protocol import replies, requests
from roomcall.signaling.room import RoomClient
from tests.seeing import Numbered, renamed, runs_dry


async def packets(call: roomcall.Call, peer: roomcall.Call, kind: str = "video") -> int:
    stats = await call.stats()
    return int(stats[peer.id][kind]["inbound"]["packetsReceived"])


async def test_muting_stops_a_kind_and_no_other(mesh: Any) -> None:
    ann, bob = await mesh(2, video_size=(160, 120), fps=15)
    await bob.wait_for(roomcall.FirstFrame, 10, kind="video", peer=bob.peers[ann.id])
    await ann.mute("video")
    updates = bob.peers[ann.id].audio.packets()
    before = -1
    async with asyncio.timeout(20):
        while before != (before := await packets(bob, ann)):  # until what was on its way has come
            for _ in range(30):
                await anext(updates)
    await updates.aclose()
    pictures = bob.peers[ann.id].video.packets()
    await ann.unmute("all")
    async with asyncio.timeout(20):
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
    muted = await bob.wait_for(roomcall.Muted, 20)
    assert (muted.kind, muted.by) == ("all", ann.id)
    await runs_dry(ann.peers[bob.id].audio.packets())


async def test_everybody_knows_who_records(peer: Any, tmp_path: Path) -> None:
    ann, bob = await peer("standup", name="ann"), await peer("standup", name="bob")
    recording = await ann.record(tmp_path)
    began = await bob.wait_for(roomcall.MemberUpdated, 10, peer=bob.peers[ann.id], recording=True)
    cem = await peer("standup", name="cem")  # later, and hears it all the same
    assert (await cem.wait_for(roomcall.MemberUpdated, 10)).recording
    for one, other in ((ann, bob), (bob, cem), (cem, ann)):  # none is left on its way
        await one.wait_for(roomcall.PeerConnected, 20, peer=one.peers[other.id])
    await recording.stop()
    for call in (bob, cem):
        await call.wait_for(roomcall.MemberUpdated, 10, name="ann", recording=False)
    said = began.to_dict()
    assert said.pop("at") and said.pop("t") >= 0
    assert said == {
        "event": "member-updated",
        "peer": ann.id,
        "name": "ann",
        "audioMuted": False,
        "videoMuted": False,
        "recording": True,
    }


async def test_a_server_that_is_back_in_time_is_not_noticed_by_media(peer: Any, way: Any) -> None:
    ann = await peer("standup", name="ann", server=way.url, video="testsrc", fps=15)
    bob = await peer("standup", name="bob", server=way.url, audio="testsrc")
    await bob.wait_for(roomcall.FirstFrame, 10, kind="video")
    pictures = bob.peers[ann.id].video.packets()
    way.blocked = True
    way.cut()
    for call in (ann, bob):
        await call.wait_for(roomcall.SignalingLost, 20)
    async with asyncio.timeout(20):
        for _ in range(15):
            await anext(pictures)
    way.blocked = False
    for call in (ann, bob):
        assert (await call.wait_for(roomcall.SignalingRestored, 10)).resumed
    async with asyncio.timeout(20):
        for _ in range(15):
            await anext(pictures)
    await pictures.aclose()
    await ann.chat("still here")
    await bob.wait_for(roomcall.ChatReceived, 20, text="still here")
    seen = [type(event) for event in await ended(bob)]
    assert roomcall.MemberLeft not in seen and roomcall.PeerDisconnected not in seen


async def ended(call: roomcall.Call) -> list[roomcall.Event]:
    """Everything that happened in a call, which ends with it."""
    await call.leave()
    return [event async for event in call]


async def test_after_a_server_that_has_forgotten_all_everybody_is_known_again(
    peer: Any,
) -> None:
    async with roomcall_server.serve() as server:
        calls = [
            await peer("standup", name=name, server=server.url, video=Numbered((160, 120)))
            for name in ("ann", "bob", "cem")
        ]
        ann, bob, cem = calls
        for call in calls:
            for other in call.peers.values():
                await call.wait_for(roomcall.FirstFrame, 10, kind="video", peer=other)
        await cem.mute("audio")
    old = {call: call.id for call in calls}
    peers = {call: dict(call.peers) for call in calls}
    over = asyncio.Event()
    watching = [
        asyncio.create_task(numbers_of(other.video, over))
        for call in calls
        for other in call.peers.values()
    ]
    async with roomcall_server.serve(port=server.port):
        for call in calls:
            ids = await renamed(call, peers[call])
            assert call.id != old[call]
            assert ids == {old[other]: other.id for other in calls if other != call}
            for id, known in peers[call].items():  # the same as before
                assert call.peers[ids[id]] is known and known.state == "connected"
        await ann.chat("still here")
        assert (await bob.wait_for(roomcall.ChatReceived, 20)).name == "ann"
        muted = {member.id: member.audio_muted for member in ann.room.members}
        assert muted[ann.id] is False
        await ann.peers[bob.id].reconnect()  # signals find their way by the new ids
        over.set()
        async with asyncio.timeout(10):
            for numbers in await asyncio.gather(*watching):
                assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        for call in calls:
            await call.leave()
    for call in calls:
        seen = [event async for event in call]
        connected = [event for event in seen if isinstance(event, roomcall.PeerConnected)]
        assert len(connected) == 2


async def numbers_of(track: roomcall.RemoteTrack, over: asyncio.Event) -> list[int]:
    """Of its pictures, until the next one after it is `over`."""
    numbers = []
    async for frame in track.frames():
        mark = marks.read(frame)
        assert mark is not None
        numbers.append(mark.number)
        if over.is_set():
            break
    return numbers


async def test_who_does_not_come_back_is_lost_when_its_path_is_dead(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomcall.peer.renaming.PATIENCE", 0.5)
    monkeypatch.setattr("roomcall.peer.renaming.LOST_AFTER", 0.5)
    async with roomcall_server.serve() as server:
        ann = await peer("standup", name="ann", server=server.url)
        bob = await peer("standup", name="bob", server=server.url, reconnect_for=0)
        await ann.wait_for(roomcall.PeerConnected, 10)
    async with roomcall_server.serve(port=server.port):
        restored = await ann.wait_for(roomcall.SignalingRestored, 15)
        assert restored.renamed == {}
        await bob.leave()
        left = await ann.wait_for(roomcall.PeerLeft, 15)
        assert (left.name, left.reason) == ("bob", "lost")
        assert not ann.peers
        await ann.leave()


async def test_a_server_that_stays_away_ends_the_call_with_the_reason(peer: Any) -> None:
    async with roomcall_server.serve() as server:
        ann = await peer("standup", server=server.url, reconnect_for=0.2)
    left = await ann.wait_for(roomcall.Left, 10)
    assert left.reason == "server-lost"
    assert isinstance(ann.error, roomcall.ServerUnreachable)
