"""With pytest-asyncio."""

import pytest

from attendance import attendance

pytestmark = pytest.mark.asyncio


async def test_three_see_each_other(mesh, assert_media):
    ann, bob, cem = await mesh(3)
    await assert_media(ann, bob, min_fps=10, seconds=1)


async def test_who_shows_a_picture_is_there(room_server, peer):
    await peer("standup", name="ann", video="testsrc", video_size=(320, 240))
    await peer("standup", name="bob")
    seen = await attendance(room_server.url, "standup", count=2, timeout=2)
    assert seen == {"ann": True, "bob": False}


async def test_a_bad_network_is_borne(peer, network, assert_media):
    ann = await peer("standup", video="testsrc", network=network(loss=0.02, delay=0.02, seed=7))
    bob = await peer("standup")
    await assert_media(bob, ann, min_fps=5, seconds=1)


async def test_a_browser_is_seen(room_server, browser_peer):
    await browser_peer("standup", name="eve")
    assert await attendance(room_server.url, "standup", count=1) == {"eve": True}
