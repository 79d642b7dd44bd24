"""Candidates and servers: what is offered, asked, tried, and said of it."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import aioice.ice
import pytest

import roomcall
import roomcall_server
from roomcall.peer.internals import IceAgent, ice_agent
from tests.coturn import Coturn

AT_ONCE = 3.0  # seconds; aiortc waits for 5 at each end, and asks only the first server


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where somebody listens and never answers."""
    monkeypatch.setattr("roomcall.peer.internals.generation.SERVER_TIMEOUT", 1.0)
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{udp.getsockname()[1]}"


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those of the machine."""
    found: list[str] = []
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: list(found))
    return found


def turn(server: Coturn, transport: str = "udp") -> dict[str, str]:
    url = f"{server.turn_url}?transport={transport}"
    return {"urls": url, "username": server.user, "credential": server.password}


async def connected(call: roomcall.Call, within: float = 20) -> roomcall.PeerConnected:
    return await call.wait_for(roomcall.PeerConnected, within)


async def test_a_silent_server_delays_nothing_and_is_named(peer: Any, silent: str) -> None:
    servers = [{"urls": f"stun:{silent}"}]
    ann = await peer("ice", name="ann", ice_servers=servers)
    await peer("ice", name="bob", ice_servers=servers)
    assert (await connected(ann)).seconds < AT_ONCE
    warning = await ann.wait_for(roomcall.WarningIssued, 10)
    assert warning.message == f"the ICE server stun:{silent} does not answer"
    assert (await connected(ann)).local == "host"


async def test_without_another_address_the_loopback_serves(peer: Any, addresses: list[str]) -> None:
    ann = await peer("ice", name="ann")
    await peer("ice", name="bob")
    assert (await connected(ann)).local == "host"


async def test_ipv6_serves(peer: Any, addresses: list[str], assert_media: Any) -> None:
    addresses.append("::1")
    ann = await peer("ice", name="ann", video="testsrc", fps=15)
    bob = await peer("ice", name="bob")
    await connected(ann)
    await assert_media(bob, ann, min_fps=3, seconds=1)


@pytest.mark.parametrize("policy", ["all", "relay"])
async def test_a_server_that_cannot_be_used_is_named(peer: Any, policy: Any) -> None:
    servers = [{"urls": ["stun:", "stuns:192.0.2.1", "turn:ann:secret@192.0.2.1"]}]
    ann = await peer("ice", name="ann", ice_servers=servers, ice_policy=policy)
    await ann.leave()
    said = [event.message async for event in ann if isinstance(event, roomcall.WarningIssued)]
    assert any("stuns:192.0.2.1" in text for text in said)
    assert not any("secret" in text for text in said)
    assert any("no TURN server" in text for text in said) is (policy == "relay")


async def test_where_there_is_no_path_both_ends_say_what_was_tried(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomcall.peer.negotiation.CONNECT_PATIENCE", 1.5)
    ann = await peer("ice", name="ann", network="loss=100%")
    bob = await peer("ice", name="bob")
    for call in (ann, bob):
        failed = await call.wait_for(roomcall.PeerFailed, 15)
        assert "(tried from host " in failed.reason and " to host " in failed.reason
        assert failed.peer.state in ("failed", "connecting")


@pytest.mark.system("coturn", tool="turnserver")
class TestRelays:
    @pytest.mark.parametrize("transport", ["udp", "tcp"])
    async def test_a_call_over_relays_alone_and_its_restart(
        self, coturn: Coturn, peer: Any, assert_media: Any, transport: str
    ) -> None:
        options = {"ice_servers": [turn(coturn, transport)], "ice_policy": "relay"}
        ann = await peer("ice", name="ann", video="testsrc", fps=15, **options)
        bob = await peer("ice", name="bob", network="delay=50ms", **options)
        met = await connected(ann)
        assert (met.local, met.remote) == ("relay", "relay")
        await assert_media(bob, ann, min_fps=3, seconds=1)
        old = agent_of(bob).active
        await bob.peers[ann.id].reconnect()
        assert agent_of(bob).active is not old
        await assert_media(bob, ann, min_fps=3, seconds=1)
        trip = (await ann.stats())[bob.id]["candidatePair"]["currentRoundTripTime"]
        assert trip > 0.1  # the bad network stands before the relay too

    async def test_a_dead_server_before_a_living_one_costs_no_time(
        self, coturn: Coturn, peer: Any, silent: str
    ) -> None:
        dead = turn(coturn) | {"urls": f"turn:{silent}"}
        options = {"ice_servers": [dead, turn(coturn)], "ice_policy": "relay"}
        ann = await peer("ice", name="ann", **options)
        await peer("ice", name="bob", **options)
        assert (await connected(ann)).seconds < AT_ONCE
        warning = await ann.wait_for(roomcall.WarningIssued, 10)
        assert warning.message == f"the ICE server turn:{silent} does not answer"

    async def test_credentials_are_renewed(
        self, coturn_with_secret: Coturn, peer: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("roomcall.call.MIN_RENEWAL", 0.5)
        server = coturn_with_secret
        async with roomcall_server.serve(
            turn_urls=(server.turn_url,), turn_secret=server.secret, turn_ttl=1
        ) as rooms:
            ann = await peer("ice", name="ann", server=rooms.url, ice_policy="relay")
            await peer("ice", name="bob", server=rooms.url, ice_policy="relay")
            await connected(ann)
            agent = agent_of(ann)
            moved = asyncio.Event()
            restart = agent.restart

            async def restart_and_tell(*arguments: Any, **options: Any) -> bool:
                found = await restart(*arguments, **options)
                moved.set()
                return found

            monkeypatch.setattr(agent, "restart", restart_and_tell)
            old = agent.active
            async with asyncio.timeout(10):
                await moved.wait()
            assert agent.active is not old and agent.selected.local == "relay"
            await ann.leave()


def agent_of(call: roomcall.Call) -> IceAgent:
    (peer,) = call.peers.values()
    assert peer._connection is not None
    return ice_agent(peer._connection._pc)
