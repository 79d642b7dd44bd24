"""The fixtures that users get: they pass where calls are well, and say why where they are not."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import roomcall
from tests.machine import Load


async def test_mesh_is_connected_and_media_flows(mesh: Any, assert_media: Any) -> None:
    ann, bob, cem = await mesh(3, video_size=(320, 240), fps=15)
    for call in (ann, bob, cem):
        assert {peer.state for peer in call.peers.values()} == {"connected"}
        assert len(call.peers) == 2
    await assert_media(ann, bob, min_fps=3, seconds=1)
    await assert_media(bob, bob.peers[cem.id], min_fps=3, seconds=1)
    await assert_media(cem, ann.id, min_fps=3, seconds=1)


async def test_ten_meshes_in_a_row(mesh: Any) -> None:
    load, times = Load(), []
    loop = asyncio.get_running_loop()
    for number in range(10):
        began = loop.time()
        calls = await mesh(3, room=f"mesh {number}", video_size=(160, 120), fps=5)
        times.append(loop.time() - began)
        await asyncio.gather(*(call.leave() for call in calls))
    assert sorted(times)[5] < 1.5 or load.is_saturated(), times


async def test_media_that_is_too_slow_fails_with_what_was_measured(
    mesh: Any, assert_media: Any
) -> None:
    ann, bob = await mesh(2, video_size=(320, 240), fps=5)
    with pytest.raises(AssertionError, match=r"\d\.\d pictures a second of .*bob.* expected 20"):
        await assert_media(ann, bob, seconds=1)


async def test_media_that_does_not_come_fails(
    peer: Any, assert_media: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomcall_cli.fixtures.media.FIRST_FRAME_TIMEOUT", 0.5)
    ann = await peer("standup", name="ann", video="testsrc")
    bob = await peer("standup", name="bob")
    await ann.wait_for(roomcall.PeerConnected, timeout=10)
    with pytest.raises(AssertionError, match="no picture of .*bob"):
        await assert_media(ann, bob)
    with pytest.raises(AssertionError, match="no peer nobody"):
        await assert_media(ann, "nobody")


async def test_a_mesh_that_cannot_be_says_which_pairs(mesh: Any) -> None:
    with pytest.raises(AssertionError) as failure:
        await mesh(2, ice_policy="relay", timeout=1)  # there is no relay
    said = str(failure.value)
    assert "not connected after 1 s" in said
    assert "ann → bob: connecting" in said and "bob → ann: connecting" in said


async def test_peers_may_go_elsewhere(peer: Any, room_server: Any) -> None:
    call = await peer("standup", server=room_server.url.replace("http", "ws") + "/ws")
    assert call.room.name == "standup"


def test_a_test_that_fails_tells_of_its_calls(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n"
        "@pytest.mark.asyncio\n"
        "async def test_mine(mesh):\n"
        "    await mesh(2, video_size=(160, 120))\n"
        "    assert 'this' == 'that'\n"
        "@pytest.mark.asyncio\n"
        "async def test_passes(peer):\n"
        "    await peer('standup')\n"
        "@pytest.mark.asyncio(loop_scope='module')\n"
        "async def test_in_another_loop(peer):\n"
        "    await peer('standup')\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "2 failed, 1 passed" in run.stdout, run.stdout
    said = run.stdout.split("Captured calls teardown")[1]
    for name, other in (("ann", "bob"), ("bob", "ann")):
        of_call = said[said.index(f"\n{name} (") :]
        assert f"to {other}: connected" in of_call
        assert "candidatePair: {" in of_call and "video: {" in of_call
    assert said.count("sent offer:") == said.count("sent answer:") == 1
    assert said.count("a=candidate:") >= 2 and "a=ice-pwd:…" in said
    assert "another event loop than the fixtures of roomcall" in run.stdout


@pytest.mark.system("chromium")
async def test_a_browser_is_in_the_call(peer: Any, browser_peer: Any, assert_media: Any) -> None:
    ann = await peer("standup", name="ann", video="testsrc", video_size=(160, 120))
    eve = await browser_peer("standup", name="eve")
    await assert_media(ann, eve, min_fps=3, seconds=1)
    assert ann.peers[eve.id].name == "eve"
    await eve.page.locator(".tile video:not(.hidden)").nth(1).wait_for()
