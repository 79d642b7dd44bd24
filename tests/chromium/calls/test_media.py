"""Pictures and sound with a page: what both send first, and what comes, ends and changes later."""

import asyncio
from typing import Any

import pytest

import roomcall

pytestmark = pytest.mark.system("chromium")


@pytest.mark.parametrize(
    ("page_first", "codec", "source"),
    [
        (False, "h264", "camera"),
        (True, "h264", "canvas"),
        (False, "vp8", "canvas"),
        (True, "vp8", "camera"),
    ],
)
async def test_pictures_move_at_both_ends(
    meet: Any, page_first: bool, codec: str, source: str
) -> None:
    meeting = await meet(page_first=page_first, page={"video": source}, video_codec=codec)
    await meeting.goes_on()
    frames = []
    async with asyncio.timeout(20):
        async for frame in meeting.peer.video.frames():
            frames.append(frame)
            if len(frames) == 6:
                break
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    assert len({bytes(frame.planes[0]) for frame in frames}) >= 3, "the picture stands still"
    assert (await meeting.inbound())["mimeType"].lower() == f"video/{codec}"
    [video] = await meeting.page.run("videos")
    assert (video["width"], video["height"]) == (320, 240)
    numbers = [number for number in video["numbers"] if number is not None]
    assert len(numbers) >= len(video["numbers"]) - 1, "pictures cannot be read"
    assert all(b > a for a, b in zip(numbers, numbers[1:], strict=False))


async def test_a_page_that_only_looks_hides_its_addresses(meet: Any) -> None:
    """Without a camera it tells names of mDNS, which may not be known here."""
    meeting = await meet(page={"video": None, "audio": False, "denied": True})
    await meeting.page.run("sees(3)")
    assert ".local" in await meeting.page.run("link.pc.localDescription.sdp")
    await meeting.peer.reconnect()
    await meeting.page.run("sees(3)")


async def test_a_second_video_comes_goes_and_comes_again(meet: Any) -> None:
    meeting = await meet()
    await meeting.goes_on()
    for change in (
        "void addVideo(160, 120)",
        "transceiver('video', 1).stop()",
        "void addVideo(160, 120)",  # on the section that was left
        "link.pc.restartIce()",
    ):
        await meeting.page.run(change)
        await meeting.page.run("settled()")
        await meeting.goes_on()
    await meeting.peer.reconnect()
    await meeting.goes_on()
    assert (await meeting.inbound())["frameWidth"] == 320  # the first one is shown
    await meeting.never_stood_still()


async def test_two_videos_at_once_and_the_second_is_shown_when_the_first_ends(meet: Any) -> None:
    meeting = await meet(page={"second": True})
    await meeting.goes_on()
    assert (await meeting.inbound())["frameWidth"] == 320
    await meeting.page.run("transceiver('video').stop()")
    await meeting.shows(160, 120)
    await meeting.goes_on()  # what we send has moved to the second's section
    assert meeting.peer.video is not None
    await meeting.peer.reconnect()
    await meeting.goes_on()


async def test_what_a_page_stops_and_adds_is_carried_on_other_sections(meet: Any) -> None:
    meeting = await meet(page_first=True)
    await meeting.goes_on()
    video, audio = meeting.peer.video, meeting.peer.audio
    await meeting.page.run("transceiver('video').stop()")
    await meeting.page.run("settled()")
    await meeting.page.run("void addVideo(160, 120)")
    await meeting.shows(160, 120)
    await meeting.goes_on()
    # The first section leads the bundle: whoever takes it up has a new transport.
    await meeting.page.run("transceiver('audio').stop()")
    await meeting.page.run("settled()")
    await meeting.page.run("addSound()")
    await meeting.page.run("settled()")
    await meeting.goes_on()
    assert (meeting.peer.video, meeting.peer.audio) == (video, audio)


async def test_tracks_are_removed_replaced_and_turned(meet: Any) -> None:
    meeting = await meet()
    await meeting.goes_on()
    await meeting.page.run("link.pc.removeTrack(transceiver('video').sender)")
    await meeting.page.run("settled()")
    await meeting.page.run("sees(3)")  # it still gets ours
    await meeting.page.run("void addVideo(160, 120)")  # Chromium makes a new section
    await meeting.shows(160, 120)
    await meeting.goes_on()
    for direction in ("recvonly", "inactive", "sendonly", "sendrecv"):
        await meeting.page.run(f"void (transceiver('video', 1).direction = '{direction}')")
        await meeting.page.run("settled()")
    await meeting.goes_on()
    await meeting.page.run("transceiver('video', 1).sender.replaceTrack(drawn(320, 240))")
    await meeting.shows(320, 240)
    assert meeting.call.peers[meeting.page.id].state == "connected"


async def test_a_page_that_takes_no_video_may_take_it_later(meet: Any) -> None:
    meeting = await meet(page_first=True, page={"rejects": "video"})
    await meeting.call.wait_for(roomcall.FirstFrame, 20, kind="audio")
    assert meeting.peer.video is None
    await meeting.peer.reconnect()
    await meeting.page.run("void addVideo(160, 120)")
    await meeting.goes_on()


@pytest.mark.parametrize("page_first", [False, True])
async def test_simulcast_is_taken_as_one_stream(meet: Any, page_first: bool) -> None:
    meeting = await meet(page_first=page_first, page={"simulcast": True, "second": True})
    await meeting.goes_on()
    assert (await meeting.inbound())["packetsLost"] == 0
    await meeting.page.run("link.pc.restartIce()")
    await meeting.page.run("settled()")
    await meeting.goes_on()
