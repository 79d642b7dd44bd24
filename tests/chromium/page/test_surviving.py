"""A call of browsers goes on where the server, the line to it, or a path does not."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import roomcall
import roomcall_server
from roomcall.peer.internals import ice_agent
from roomcall.peer.restarts import Restarts
from tests.breakable import BreakableWay
from tests.chromium.page.conftest import GRACE
from tests.seeing import renamed

pytestmark = pytest.mark.system("chromium")

SMALL = {"video": "testsrc", "video_size": (160, 120), "fps": 15}
# What the other's tile says of the connection, also where it says so for a moment only.
WATCH_STATES = """() => {
  window.states = [];
  const look = () => states.push(document.querySelector(".tile .state")?.lastChild?.data);
  const changes = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.querySelector(".stage"), changes);
}"""
TRACKS = (
    "() => [...shown.keys()].flatMap(({ srcObject }) => srcObject.getTracks().map((t) => t.id))"
)


async def test_a_lost_line_is_resumed_and_nothing_is_lost(visit: Any, peer: Any, way: Any) -> None:
    bob = await peer("standup", name="bob", **SMALL)
    ann = await visit(way.url)
    await ann.join("standup", "ann")
    await ann.pictures(1)
    (id,) = bob.peers
    way.blocked = True
    way.cut()
    await ann.see(".line", "The server is lost")
    await ann.toggle("chat")
    await ann.fill("Message to all", "said without a line")
    await ann.press("Enter")
    await bob.chat("heard later")
    await ann.pictures(1)
    way.blocked = False
    await ann.see_no(".line p")
    await ann.see(".said", "heard later")
    await bob.wait_for(roomcall.ChatReceived, 10, text="said without a line")
    assert set(bob.peers) == {id}  # the same as before
    await ann.never_stood_still()


async def test_offline_as_the_browser_has_it(visit: Any, peer: Any, chromium: Any) -> None:
    bob = await peer("standup", name="bob", **SMALL)
    ann = await visit()
    await ann.join("standup", "ann")
    await ann.pictures(1)
    (id,) = bob.peers
    await chromium.do(ann.page.context.set_offline(True))
    await ann.see(".line", "The server is lost")
    await ann.pictures(1)
    await chromium.do(ann.page.context.set_offline(False))
    await ann.see_no(".line p")
    await bob.chat("there you are")
    await ann.see("#toggle-chat", "1")
    assert set(bob.peers) == {id}


async def test_a_server_that_has_forgotten_everybody_stops_no_picture(
    visit: Any, peer: Any
) -> None:
    async with roomcall_server.serve() as server:
        bob = await peer("standup", name="bob", server=server.url, **SMALL)
        ann, eve = await visit(server.url), await visit(server.url)
        await ann.join("standup", "ann")
        await eve.join("standup", "eve")
        await asyncio.gather(ann.pictures(2), eve.pictures(2))
        tracks = [await visitor.run(TRACKS) for visitor in (ann, eve)]
        known = {peer.name: peer for peer in bob.peers.values()}
        old = {id: peer.name for id, peer in bob.peers.items()}
    async with roomcall_server.serve(port=server.port):
        ids = await renamed(bob, old)
        assert set(ids) == set(old)
        for id, new in ids.items():
            assert bob.peers[new] is known[old[id]] and id != new
        for visitor, other in ((ann, "eve"), (eve, "ann")):
            await visitor.see_no(".line p")
            await visitor.toggle("chat")
            await visitor.see(f".tile:has-text('{other}')")
        await ann.fill("Message to all", "still here")
        await ann.press("Enter")
        await eve.see(".said", "still here")
        assert (await bob.wait_for(roomcall.ChatReceived, 10)).name == "ann"
        await asyncio.gather(ann.pictures(2), eve.pictures(2))
        for visitor, before in zip((ann, eve), tracks, strict=True):
            assert len(before) == 4 and await visitor.run(TRACKS) == before
            await visitor.never_stood_still()
        # Signals find their way by the new ids.
        await bob.peers[ids[next(iter(old))]].reconnect()
        await bob.leave()


async def test_a_server_that_is_back_with_its_store_knows_everybody(
    visit: Any, peer: Any, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/rooms.db"
    async with roomcall_server.serve(store=store, resume_grace=GRACE) as server:
        way = BreakableWay(server.url)
        await way.open()
        bob = await peer("standup", name="bob", server=way.url, **SMALL)
        ann = await visit(way.url)
        await ann.join("standup", "ann")
        await ann.pictures(1)
        (page,) = bob.peers.values()
        id, tracks = page.id, await ann.run(TRACKS)
        way.blocked = True
        way.cut()
    await ann.see(".line", "The server is lost")
    await ann.toggle("chat")
    await ann.fill("Message to all", "said without a line")
    await ann.press("Enter")
    async with roomcall_server.serve(port=server.port, store=store, resume_grace=GRACE):
        way.blocked = False
        assert (await bob.wait_for(roomcall.SignalingRestored, 20)).resumed
        await bob.wait_for(roomcall.ChatReceived, 10, text="said without a line")
        await ann.see_no(".line p")
        assert dict(bob.peers) == {id: page}
        # Both count alike from now on: a break is one like any other.
        way.cut()
        await ann.fill("Message to all", "said once more")
        await ann.press("Enter")
        said = await bob.wait_for(roomcall.ChatReceived, 10, text="said once more")
        assert said.peer is page
        await ann.pictures(1)
        assert await ann.run(TRACKS) == tracks
        await ann.never_stood_still()
        await bob.leave()
    await way.close()


async def test_a_dead_path_is_seen_and_left_for_another(
    visit: Any, peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Restarts, "begin", lambda *_: [])  # it is the page that has to
    ann = await visit()
    await ann.join("standup", "ann")
    await ann.is_in_call()
    bob = await peer("standup", name="bob", **SMALL)
    await ann.pictures(1)
    (page,) = bob.peers.values()
    old = ice_agent(page._connection._pc).active
    await ann.run(WATCH_STATES)
    for transport in {protocol.transport for protocol in old._protocols}:
        transport.close()
    await ann.until("() => states.includes('Connection lost, looking for a new path …')")
    await bob.wait_for(roomcall.PeerReconnected, 20, peer=page)
    await ann.see_no(".tile .state span")
    await ann.pictures(1)
    assert ice_agent(page._connection._pc).active is not old


async def test_a_new_connection_takes_over_without_a_pause(visit: Any, peer: Any) -> None:
    """As where the other end has lost its state and offers anew."""
    bob = await peer("standup", name="bob", **SMALL)
    ann = await visit()
    await ann.join("standup", "ann")
    await ann.pictures(1)
    before = await ann.run(TRACKS)
    (page,) = bob.peers.values()
    page._steps.post(lambda: page._negotiation.offer("anew"))
    await ann.until(f"(before) => `${{({TRACKS})()}}` !== `${{before}}`", before)
    await ann.pictures(1, more=30)
    await ann.never_stood_still()
    connected = await count(bob, roomcall.PeerConnected)
    assert connected == 2


async def count(call: roomcall.Call, event: type[roomcall.Event]) -> int:
    await call.leave()
    return len([one async for one in call if isinstance(one, event)])


async def test_either_side_restarts_ice_while_pictures_go_on(visit: Any, peer: Any) -> None:
    bob = await peer("standup", name="bob", **SMALL)
    ann = await visit()
    await ann.join("standup", "ann")
    await ann.pictures(1)
    (page,) = bob.peers.values()
    restart = """async () => {
      const { app } = await import("/page/main.js");
      for (const peer of app.call.mesh.peers.values()) peer.restart();
    }"""
    for both in (False, True):
        old = ice_agent(page._connection._pc).active
        await ann.run(restart)
        if both:
            await page.reconnect()
        async with asyncio.timeout(20):
            while ice_agent(page._connection._pc).active is old:
                await ann.pictures(1, more=1)
    await ann.pictures(1, more=30)
    await ann.never_stood_still()
    assert page.state == "connected"
