"""What changes during a call: sources, and data channels."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import roomcall
from roomcall.peer.datachannel import MAX_MESSAGE_BYTES, MAX_UNSENT_BYTES
from roomcall.peer.transceivers import Transceivers
from roomcall.testing.media import make_video
from tests.machine import Load
from tests.seeing import runs_dry

TESTSRC, FILE = (640, 360), (320, 180)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "cam.mp4"
    return make_video(path, fps=15, seconds=2, size=FILE)


async def picture_of(call: roomcall.Call, peer: roomcall.Call, size: tuple[int, int]) -> None:
    """Wait for a picture of this size; the time of pictures goes on meanwhile."""
    track = call.peers[peer.id].video
    assert track is not None
    last = float("-inf")
    async with asyncio.timeout(10):
        async for frame in track.frames():
            assert frame.time > last
            last = frame.time
            if (frame.width, frame.height) == size:
                return


async def ended(call: roomcall.Call) -> list[roomcall.Event]:
    await call.leave()
    return [event async for event in call]


async def test_a_source_is_changed_stopped_and_begun_again(mesh: Any, video: Path) -> None:
    ann, bob = await mesh(2, fps=15)
    await picture_of(bob, ann, TESTSRC)
    changed = asyncio.create_task(picture_of(bob, ann, FILE))
    await ann.publish(video=str(video), audio=str(video))
    await changed
    pictures = bob.peers[ann.id].video.packets()
    await ann.publish(video=None)
    await runs_dry(pictures)
    await ann.publish(video="testsrc")
    await picture_of(bob, ann, TESTSRC)
    with pytest.raises(roomcall.SourceError):
        await ann.publish(video="/nowhere.mp4")
    await picture_of(bob, ann, TESTSRC)
    events = await ended(bob)
    assert sum(isinstance(event, roomcall.PeerConnected) for event in events) == 1


async def test_what_was_not_sent_so_far_is_sent_on_the_same_connection(mesh: Any) -> None:
    ann, bob = await mesh(2, video="none", audio="testsrc")
    await ann.wait_for(roomcall.FirstFrame, 10, kind="audio")
    await asyncio.gather(ann.publish(video="testsrc"), bob.publish(video="testsrc"))
    for call, other in ((ann, bob), (bob, ann)):
        added = await call.wait_for(roomcall.TrackAdded, 10, kind="video")
        assert added.peer is call.peers[other.id]
        await call.wait_for(roomcall.FirstFrame, 10, kind="video")
        await picture_of(call, other, TESTSRC)
        assert (await call.stats())[other.id]["audio"]["inbound"]["packetsLost"] == 0
    (cem,) = await mesh(1, room="mesh", video="none")
    for sender in cem.peers.values():  # who comes later gets it at once
        await cem.wait_for(roomcall.FirstFrame, 10, kind="video", peer=sender)
    await bob.wait_for(roomcall.PeerConnected, 10, peer=bob.peers[cem.id])
    events = await ended(bob)
    assert sum(isinstance(event, roomcall.PeerConnected) for event in events) == 2


async def test_data_goes_both_ways_in_order_and_is_held_back(mesh: Any) -> None:
    ann, bob = await mesh(2, video="none")
    channel = await ann.peers[bob.id].open_channel("files")
    opened = await bob.wait_for(roomcall.ChannelOpened, 10)
    assert (opened.label, opened.name, opened.channel.label) == ("files", "ann", "files")
    await opened.channel.send(b"\x00\xff")
    received = await ann.wait_for(roomcall.DataReceived, 10)
    assert (received.peer, received.data) == (ann.peers[bob.id], b"\x00\xff")
    assert received.to_dict()["base64"] == "AP8="

    async def fill() -> None:
        for number in range(40):
            await channel.send(f"{number:06}" * 10_000)  # 60 kB
            assert channel._channel.bufferedAmount <= MAX_UNSENT_BYTES
        await channel.close()

    filling = asyncio.create_task(fill())
    async with asyncio.timeout(30):
        seen = [message[:6] async for message in opened.channel]
    await filling
    assert seen == [f"{number:06}" for number in range(40)]
    texts = [event for event in await ended(bob) if isinstance(event, roomcall.DataReceived)]
    assert texts[0].to_dict()["text"][:6] == "000000"


async def test_channels_that_cannot_be_used(mesh: Any) -> None:
    ann, bob = await mesh(2, video="none")
    peer = ann.peers[bob.id]
    channel = await peer.open_channel("loose", ordered=False, max_retransmits=0)
    with pytest.raises(roomcall.RoomcallError, match="send at most"):
        await channel.send(b"x" * (MAX_MESSAGE_BYTES + 1))
    with pytest.raises(roomcall.RoomcallError, match="our own"):
        await peer.open_channel("roomcall")
    reading = asyncio.create_task(drain(channel))
    await bob.leave()
    await ann.wait_for(roomcall.PeerLeft, 10)
    assert await reading == []
    with pytest.raises(roomcall.RoomcallError, match="closed"):
        await channel.send("too late")
    with pytest.raises(roomcall.RoomcallError, match="not connected"):
        await peer.open_channel("too late")


async def drain(channel: roomcall.DataChannel) -> list[str | bytes]:
    async with asyncio.timeout(10):
        return [message async for message in channel]


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 that can go out as it is, with a key frame every 2 s."""
    path = tmp_path_factory.mktemp("passing") / "cam.mp4"
    return make_video(path, fps=25, seconds=4, size=FILE, bframes=0, gop=50)


async def test_a_file_goes_out_as_it_is_and_who_comes_late_sees_it_at_once(
    mesh: Any, peer: Any, passing: Path
) -> None:
    ann, bob = await mesh(2, video=str(passing))
    (picture,) = ann.peers.values()
    publication = ann._publishing.publications["video"]
    assert publication.codec == "H264"
    await picture_of(bob, ann, FILE)
    load = Load()
    late = await peer("mesh", name="late")
    first = await late.wait_for(roomcall.FirstFrame, 10, kind="video", peer=late.peers[ann.id])
    # The next key frame may be 2 s away.
    assert first.seconds < (10 if load.is_saturated() else 1.5)
    stamps = await stamps_of(late, ann, 60)
    steps = {b - a for a, b in zip(stamps, stamps[1:], strict=False)}
    assert steps == {90_000 // 25} or load.is_saturated()


async def test_who_needs_another_codec_gets_it_encoded(
    peer: Any, passing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await peer("mixed", name="bob")
    all_codecs = Transceivers._video_codecs

    def without_h264(transceivers: Transceivers) -> list[Any]:
        codecs = all_codecs(transceivers)
        knows_all = transceivers._publications is not bob._publishing.publications
        return [codec for codec in codecs if knows_all or codec.mimeType != "video/H264"]

    monkeypatch.setattr(Transceivers, "_video_codecs", without_h264)
    ann = await peer("mixed", name="ann", video=str(passing))
    cem = await peer("mixed", name="cem")
    for call, codec in ((bob, "VP8"), (cem, "H264")):
        await call.wait_for(roomcall.FirstFrame, 10, kind="video")
        assert call.peers[ann.id].video.codec == codec
    await asyncio.gather(*(picture_of(call, ann, FILE) for call in (bob, cem)))


async def stamps_of(call: roomcall.Call, peer: roomcall.Call, count: int) -> list[int]:
    """RTP time stamps of so many pictures."""
    stamps: list[int] = []
    async with asyncio.timeout(15):
        async for packet in call.peers[peer.id].video.packets():
            stamps.append(packet.timestamp)
            if len(stamps) == count:
                break
    return stamps


@pytest.mark.long
async def test_a_slow_peer_gets_a_smaller_picture_and_the_others_notice_nothing(
    mesh: Any, peer: Any
) -> None:
    ann, bob = await mesh(2, fps=15, video_bitrate=800_000)
    slow = await peer("mesh", name="slow", network="rate=150kbit")
    await slow.wait_for(roomcall.FirstFrame, 30, kind="audio", peer=slow.peers[ann.id])
    smaller = (TESTSRC[0] // 2, TESTSRC[1] // 2)
    async with asyncio.timeout(40):
        async for frame in slow.peers[ann.id].video.frames():
            if (frame.width, frame.height) == smaller:
                break
    inbound = (await bob.stats())[ann.id]["video"]["inbound"]
    assert (inbound["frameWidth"], inbound["frameHeight"]) == TESTSRC
    assert inbound["packetsLost"] == 0
