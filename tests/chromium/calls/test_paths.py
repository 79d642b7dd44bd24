"""A call with a page stays: restarts of ICE from either end, offers that cross, paths that die."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aioice import stun

import roomcall
from roomcall.peer.internals import ice_agent
from tests.chromium.calls.conftest import STILL
from tests.machine import Load

pytestmark = pytest.mark.system("chromium")

SEEN = 5.0  # seconds within which a dead path is told
RESTARTS = ("ours", "link.pc.restartIce()", "link.send('renegotiate', {iceRestart: true})")
LATE = "127.0.0.9"  # an address that only the STUN server knows of


def agent_of(meeting: Any) -> Any:
    connection = meeting.peer._connection
    assert connection is not None
    return ice_agent(connection._pc)


async def restart(meeting: Any, way: str) -> None:
    """Until both ends use another path than before."""
    old, path = agent_of(meeting).active, await meeting.page.run("path()")
    if way == "ours":
        await meeting.peer.reconnect()
    else:
        await meeting.page.run(way)
    await meeting.page.until(f"path() !== '{path}'")
    async with asyncio.timeout(10):
        while agent_of(meeting).active is old:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("page_first", "codec"), [(False, "h264"), (True, "vp8")])
async def test_ice_restarts_from_either_end_lose_nothing(
    meet: Any, page_first: bool, codec: str
) -> None:
    meeting = await meet(page_first=page_first, video_codec=codec)
    await meeting.goes_on()
    for way in RESTARTS:
        await restart(meeting, way)
        await meeting.goes_on()
    await meeting.never_stood_still()


@pytest.mark.parametrize("polite", [True, False])
async def test_offers_that_cross_end_agreed(meet: Any, polite: bool) -> None:
    """`polite`: the page."""
    meeting = await meet(page={"polite": polite})
    await meeting.goes_on()
    for change in (
        "link.pc.restartIce()",
        "void addVideo(160, 120)",
        "void (transceiver('video', 1).direction = 'recvonly')",
        "link.pc.restartIce(); transceiver('video', 1).direction = 'sendrecv'",
        "transceiver('video', 1).stop()",
    ):
        await meeting.page.run(f"link.hold(); {change}")
        await meeting.page.until("link.held.length > 0")  # its offer is made, but does not go out
        taken = await meeting.page.run("taken.length")
        reconnecting = asyncio.create_task(meeting.peer.reconnect())
        await meeting.page.until(f"taken.length > {taken}")  # ours is there
        await meeting.page.run("link.release()")
        await reconnecting
        await meeting.page.run("settled()")
    await meeting.goes_on()
    await meeting.never_stood_still()
    events = [type(event) for event in await ended(meeting.call)]
    assert events.count(roomcall.PeerConnected) == 1  # it was the same connection throughout


async def ended(call: roomcall.Call) -> list[roomcall.Event]:
    await call.leave()
    return [event async for event in call]


async def test_a_new_connection_of_the_page_takes_over(meet: Any) -> None:
    """As from one that has lost its state: `lost`, or while the old connection lives."""
    meeting = await meet()
    await meeting.goes_on()
    video, audio = meeting.peer.video, meeting.peer.audio
    for lost in (False, True):
        if lost:
            await meeting.page.run("link.pc.close()")
        await meeting.page.run("link.begin()")
        await meeting.page.until("link.pc.connectionState === 'connected'")
        await meeting.goes_on(10)
    assert (meeting.peer.video, meeting.peer.audio) == (video, audio)
    await meeting.never_stood_still(lossless=False)
    events = [type(event) for event in await ended(meeting.call)]
    assert events.count(roomcall.PeerConnected) == 3
    assert roomcall.PeerFailed not in events and roomcall.PeerLeft not in events


def cut(meeting: Any, seconds: float) -> None:
    """From now on, as `network="cut=…"` does from a moment that is known before."""
    line = agent_of(meeting)._settings.line
    begins = asyncio.get_running_loop().time() - line.begun
    for pipe in line._pipes.values():
        pipe._conditions = replace(pipe._conditions, cuts=((begins, seconds),))


async def test_a_path_that_is_cut_is_told_and_frames_come_again(meet: Any) -> None:
    """Also where the page restarts ICE by itself (`heals`). A page that is busy is not cut off."""
    meetings = [
        await meet(page={"heals": heals}, network="delay=0", video_codec=codec)
        for heals, codec in ((True, "h264"), (False, "vp8"))
    ]
    busy = await meet()
    await asyncio.gather(*(meeting.goes_on() for meeting in [*meetings, busy]))
    load, began = Load(), datetime.now(UTC)
    for meeting in meetings:
        cut(meeting, 6)
    await busy.page.run("freeze(3000)")
    for meeting in meetings:
        lost = await meeting.call.wait_for(roomcall.PeerDisconnected, 20)
        assert lost.peer is meeting.peer
        assert (lost.time - began).total_seconds() < SEEN or load.is_saturated()
    for meeting in meetings:
        await meeting.call.wait_for(roomcall.PeerReconnected, 20)
    await asyncio.gather(*(meeting.goes_on() for meeting in [*meetings, busy]))
    for meeting in meetings:
        async with asyncio.timeout(20):  # it is over with a key frame
            while (await meeting.inbound())["freezeCount"] < 1:
                await meeting.goes_on(1)
        events = [type(event) for event in await ended(meeting.call)]
        assert events.count(roomcall.PeerConnected) == 1
        assert roomcall.PeerFailed not in events
    smooth = (await busy.pause())[0] < STILL
    stayed = roomcall.PeerDisconnected not in [type(event) for event in await ended(busy.call)]
    assert (smooth and stayed) or load.is_saturated()


class Stun(asyncio.DatagramProtocol):
    """Answers after a while, with an address that we do not have."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        request = stun.parse_message(data)
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = (LATE, 4000)
        later = asyncio.get_running_loop().call_later
        later(0.3, lambda: self._transport.sendto(bytes(response), address))


@pytest.fixture
async def stun_server() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Stun, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    yield f"stun:{host}:{port}"
    transport.close()


async def test_candidates_that_are_found_late_are_told_with_their_credentials(
    meet: Any, stun_server: str
) -> None:
    meeting = await meet(ice_servers=[{"urls": stun_server}])
    await meeting.goes_on()
    for generation in (1, 2):  # on a machine that is busy there may be more
        ends = "taken.filter(({candidate}) => candidate === '')"
        await meeting.page.until(f"{ends}.length >= {generation}")
        ufrag = (await meeting.page.run(ends))[-1]["usernameFragment"]
        taken = await meeting.page.run("taken")
        assert any(f"a=ice-ufrag:{ufrag}\r\n" in each.get("sdp", "") for each in taken)
        late, end = [each for each in taken if each.get("usernameFragment") == ufrag]
        assert late["candidate"].split()[4] == LATE and end["candidate"] == ""
        if generation == 1:
            await meeting.peer.reconnect()
    await meeting.goes_on()
