"""Connections that keep their call: restarts of ICE, paths that are cut, glare."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

import roomcall
from roomcall.media import marks
from roomcall.peer.internals import IceAgent, ice_agent
from roomcall.signaling.base import MemberHere
from roomcall.signaling.memory import MemoryRoom, MemorySignaling
from tests.seeing import Numbered

SMALL = {"video_size": (320, 240), "fps": 15}
SEEN = 5.0  # seconds within which a dead path is to be seen


def agent_of(call: roomcall.Call, other: roomcall.Call) -> IceAgent:
    connection = call.peers[other.id]._connection
    assert connection is not None
    return ice_agent(connection._pc)


async def lost_packets(call: roomcall.Call, other: roomcall.Call) -> int:
    inbound = (await call.stats())[other.id]["video"]["inbound"]
    return int(inbound["packetsLost"])


async def pictures(call: roomcall.Call, other: roomcall.Call, count: int) -> list[int]:
    """Numbers of so many pictures that come from now on."""
    numbers: list[int] = []
    track = call.peers[other.id].video
    assert track is not None
    async with asyncio.timeout(30):
        async for frame in track.frames():
            mark = marks.read(frame)
            assert mark is not None
            numbers.append(mark.number)
            if len(numbers) == count:
                break
    return numbers


@pytest.mark.parametrize("both", [False, True])
async def test_a_restart_takes_another_path_and_loses_nothing(peer: Any, both: bool) -> None:
    """`both`: at once, from either end."""
    ann, bob = [await peer("pair", name=name, video=Numbered()) for name in ("ann", "bob")]
    for call in (ann, bob):
        await call.wait_for(roomcall.FirstFrame, 10, kind="video")
    old = agent_of(ann, bob).active
    watching = asyncio.gather(pictures(ann, bob, 40), pictures(bob, ann, 40))
    ways = [ann.peers[bob.id].reconnect()]
    if both:
        ways.append(bob.peers[ann.id].reconnect())
    await asyncio.gather(*ways)
    for numbers in await watching:
        assert numbers == list(range(numbers[0], numbers[0] + 40))
    assert agent_of(ann, bob).active is not old
    for call, other in ((ann, bob), (bob, ann)):
        assert await lost_packets(call, other) == 0
        assert call.peers[other.id].state == "connected"


@pytest.mark.long
async def test_a_path_that_is_cut_is_told_and_pictures_go_on_when_it_is_back(peer: Any) -> None:
    ann = await peer("cut", name="ann", video="testsrc", network="cut=3s+5s", **SMALL)
    bob = await peer("cut", name="bob", video="testsrc", **SMALL)
    for call, other in ((ann, bob), (bob, ann)):
        lost = await call.wait_for(roomcall.PeerDisconnected, 15)
        assert lost.peer is call.peers[other.id]
        assert (await call.wait_for(roomcall.PeerReconnected, 15)).peer is lost.peer
        await pictures(call, other, 15)
        stats = await call.stats()
        assert stats[other.id]["video"]["inbound"]["freezeCount"] >= 1
    for call in (ann, bob):
        events = [type(event) for event in await ended(call)]
        assert events.count(roomcall.PeerConnected) == 1  # it was the same connection throughout
        assert roomcall.PeerFailed not in events


async def ended(call: roomcall.Call) -> list[roomcall.Event]:
    await call.leave()
    return [event async for event in call]


@pytest.mark.long
async def test_a_path_that_stays_dead_is_left_for_another(mesh: Any) -> None:
    ann, bob = await mesh(2, **SMALL)
    for call in (ann, bob):
        await call.wait_for(roomcall.FirstFrame, 10, kind="video")
    for transport in {protocol.transport for protocol in agent_of(ann, bob).active._protocols}:
        transport.close()
    for call in (ann, bob):
        lost = await call.wait_for(roomcall.PeerDisconnected, 15)
        found = await call.wait_for(roomcall.PeerReconnected, 15)
        assert found.t - lost.t < SEEN
    await asyncio.gather(pictures(ann, bob, 15), pictures(bob, ann, 15))


async def test_where_the_other_end_is_gone_a_reconnection_finds_nothing(
    mesh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomcall.peer.peer.RECONNECT_TIMEOUT", 1.0)
    ann, bob = await mesh(2, video="none")

    async def nowhere(to: str, message: object) -> None:
        pass

    peer = ann.peers[bob.id]
    peer._context = dataclasses.replace(peer._context, send=nowhere)
    with pytest.raises(roomcall.NoMediaPath, match="bob"):
        await peer.reconnect()


class Eager(MemorySignaling):
    """Takes everybody for somebody who was there before, so that both ends offer."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for event in super().__aiter__():
            if isinstance(event, MemberHere):
                event = MemberHere(event.id, event.name, before=True)
            yield event


async def test_both_offering_at_once_does_no_harm(assert_media: Any) -> None:
    room = MemoryRoom()
    async with (
        roomcall.join("glare", signaling=Eager(room, "ann"), video="testsrc", **SMALL) as ann,
        roomcall.join("glare", signaling=Eager(room, "bob"), video="testsrc", **SMALL) as bob,
    ):
        for call in (ann, bob):
            await call.wait_for(roomcall.PeerConnected, 20)
        await asyncio.gather(
            assert_media(ann, bob, min_fps=3, seconds=1),
            assert_media(bob, ann, min_fps=3, seconds=1),
        )


async def test_a_new_connection_takes_over_without_a_pause(peer: Any) -> None:
    """As where the other end has lost its state and offers anew."""
    ann, bob = [await peer("pair", name=name, video=Numbered()) for name in ("ann", "bob")]
    for call in (ann, bob):
        await call.wait_for(roomcall.FirstFrame, 10, kind="video")
    watching = asyncio.gather(pictures(ann, bob, 60), pictures(bob, ann, 60))
    other = ann.peers[bob.id]
    other._steps.post(lambda: other._negotiation.offer("anew"))
    for numbers in await watching:
        assert max(b - a for a, b in zip(numbers, numbers[1:], strict=False)) <= 5
    events = [event for event in await ended(ann) if isinstance(event, roomcall.PeerConnected)]
    assert len(events) == 2
