"""Two browsers and a headless peer in one call."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import roomcall
from roomcall.testing.media import make_video

pytestmark = pytest.mark.system("chromium")

SMALL = {"video": "testsrc", "video_size": (320, 240), "fps": 15}
SCRIPT = "<img src=x onerror='document.title=1'><script>alert(1)</script>"


async def test_everybody_sees_everybody_and_they_talk(
    visit: Any, peer: Any, tmp_path: Path
) -> None:
    bob = await peer("standup", name=SCRIPT, **SMALL)
    ann, eve = await visit(), await visit()
    await ann.join("standup", "ann")
    await eve.join("standup", "eve")
    await asyncio.gather(ann.pictures(2), eve.pictures(2))
    pages = {p.name: p for p in bob.peers.values()}
    assert set(pages) == {"ann", "eve"}
    for page in pages.values():
        await bob.wait_for(roomcall.FirstFrame, 20, peer=page, kind="video")
        await bob.wait_for(roomcall.FirstFrame, 20, peer=page, kind="audio")

    await ann.toggle("chat")
    await ann.fill("Message to all", "hello all")
    await ann.press("Enter")
    await eve.see("#toggle-chat", "1")
    await bob.wait_for(roomcall.ChatReceived, 10, text="hello all", name="ann")
    await bob.chat(SCRIPT)
    await ann.see(".said .text", SCRIPT)
    await ann.see(".said .by", SCRIPT)
    assert await ann.run("() => document.querySelectorAll('#page img, #page script').length") == 0

    await ann.choose("Who it is for", f"{SCRIPT} only")
    await ann.fill(f"Message to {SCRIPT}", "between us")
    await ann.press("Enter")
    await bob.wait_for(roomcall.ChatReceived, 10, text="between us", id=None)
    await ann.see(".said .by", "only)")
    await ann.choose("Who it is for", "To all")
    await eve.reload()  # what was said before is looked up
    await eve.toggle("chat")
    await eve.see(".said .text", "hello all")
    assert "between us" not in await eve.text(".messages")
    await bob.record(tmp_path)
    await eve.see("header .recording", "records the call")
    await eve.see(".tile .recording", "rec")

    await ann.run("() => document.querySelector('.quality').click()")
    await ann.see(".figures", "Picture received")
    assert "320×240" in await ann.text(".figures")


async def test_mute_is_shown_and_sends_nothing(visit: Any, peer: Any) -> None:
    bob = await peer("standup", name="bob", **SMALL)
    ann, eve = await visit(), await visit()
    await ann.join("standup", "ann")
    await ann.pictures(1)
    await eve.join("standup", "eve")
    await eve.pictures(2)
    await ann.click("Hide your picture")
    await ann.click("Mute microphone")
    tile = ".tile:has-text('ann')"
    await eve.see(f"{tile} [aria-label='Microphone muted']")
    await eve.see(f"{tile} [aria-label='Picture hidden']")
    await eve.see_no(f"{tile} video:not(.hidden)")
    (muted,) = (other for other in bob.peers.values() if other.name == "ann")
    async with asyncio.timeout(20):
        while await packets(bob, muted.id) != await packets(bob, muted.id, after=0.5):
            pass
    await bob.mute("video")
    await ann.see(".tile:has-text('bob') [aria-label='Picture hidden']")
    await bob.unmute("video")
    await ann.click("Show your picture")
    await eve.see(f"{tile} video:not(.hidden)")
    await asyncio.gather(ann.pictures(2), eve.pictures(2))


async def packets(call: roomcall.Call, sender: str, after: float = 0) -> int:
    """How many have come from there, of both kinds."""
    await asyncio.sleep(after)
    stats = (await call.stats())[sender]
    return sum(int(stats[kind]["inbound"]["packetsReceived"]) for kind in ("audio", "video"))


async def test_without_devices_it_receives_and_can_send_later(
    visit: Any, peer: Any, tmp_path: Path
) -> None:
    ann = await visit()
    await ann.go("/#/room/standup")
    await ann.see(".preview video:not(.hidden)")
    await ann.choose("Camera", "None")
    await ann.choose("Microphone", "None")
    await ann.click("Join")
    await ann.is_in_call()
    bob = await peer("standup", name="bob", **SMALL)
    await ann.pictures(1)
    (page,) = bob.peers.values()
    assert page.video is None and page.audio is None

    file = tmp_path / "film.webm"
    make_video(file, seconds=2, size=(160, 120), fps=10, codec="libvpx", audio="libopus")
    await ann.click("Camera, microphone, screen, file")
    await ann.upload(file)
    await bob.wait_for(roomcall.FirstFrame, 20, peer=page, kind="video", width=160)
    await ann.see("dialog", "film.webm")
    await ann.pictures(1)
