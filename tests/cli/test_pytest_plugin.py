"""The fixtures that users get: they pass where calls are well, and say why where they are not."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import roomcall


async def test_mesh_is_connected_and_media_flows(mesh: Any, assert_media: Any) -> None:
    ann, bob, cem = await mesh(3, video_size=(320, 240), fps=15)
    for call in (ann, bob, cem):
        assert {peer.state for peer in call.peers.values()} == {"connected"}
        assert len(call.peers) == 2
    await assert_media(ann, bob, min_fps=10, seconds=1)
    await assert_media(bob, bob.peers[cem.id], min_fps=10, seconds=1)
    await assert_media(cem, ann.id, min_fps=10, seconds=1)


async def test_media_that_is_too_slow_fails_with_what_was_measured(
    mesh: Any, assert_media: Any
) -> None:
    ann, bob = await mesh(2, video_size=(320, 240), fps=5)
    with pytest.raises(AssertionError, match=r"[45]\.\d pictures a second of .*bob.* expected 20"):
        await assert_media(ann, bob, seconds=1)


async def test_media_that_does_not_come_fails(
    peer: Any, assert_media: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roomcall_cli.pytest_plugin.FIRST_FRAME_TIMEOUT", 0.5)
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


def test_a_user_s_own_project_needs_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import pytest\n"
        "@pytest.mark.asyncio\n"
        "async def test_mine(mesh, assert_media):\n"
        "    ann, bob = await mesh(2)\n"
        "    await assert_media(ann, bob, min_fps=10, seconds=1)\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert run.returncode == 0, run.stdout
