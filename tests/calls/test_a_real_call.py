"""Peers in one process, with real ICE, DTLS and SRTP on the loopback, and what they see."""

import asyncio
from pathlib import Path
from typing import Any

import av
import pytest

import roomcall
from roomcall.media import marks
from roomcall.testing.media import make_video
from tests.machine import Load
from tests.seeing import assert_every_picture, assert_in_sync, see_and_hear, watch

FPS, LENGTH = 25, 4
AT_ONCE = 1.5  # seconds from joining to the first picture


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ordinary mp4: H.264 with B-frames, AAC."""
    return make_video(
        tmp_path_factory.mktemp("video") / "cam.mp4", fps=FPS, seconds=LENGTH, size=(320, 240)
    )


async def test_three_see_and_hear_every_frame_of_a_file(mesh: Any, video: Path) -> None:
    load = Load()
    calls = await mesh(3, video=str(video))
    # Each watches one of the others, so that a busy machine can decode it all.
    pairs = list(zip(calls, calls[1:] + calls[:1], strict=True))
    views = await asyncio.gather(*(see_and_hear(a.peers[b.id]) for a, b in pairs))
    for pictures, sounds in views:
        assert_every_picture(pictures, cycle=FPS * LENGTH, load=load)
        assert_in_sync(pictures, sounds, fps=FPS, load=load)
    for call in calls:
        for stats in (await call.stats()).values():
            assert [stats[kind]["inbound"]["packetsLost"] for kind in ("video", "audio")] == [0, 0]
            rate = FPS / 2 if load.is_saturated() else FPS - 1
            assert stats["video"]["inbound"]["framesReceived"] > 4 * rate


async def test_who_comes_late_has_a_picture_at_once(mesh: Any, peer: Any) -> None:
    ann, bob = await mesh(2)
    load = Load()
    late = await peer("mesh", name="late")
    for sender in (ann, bob):
        first = await late.wait_for(
            roomcall.FirstFrame, 15, peer=late.peers[sender.id], kind="video"
        )
        assert first.seconds <= (10 if load.is_saturated() else AT_ONCE)
        frames = late.peers[sender.id].video.frames()
        assert marks.read(await anext(frames)) is not None
        await frames.aclose()


async def test_a_member_that_cannot_be_connected_disturbs_nobody(
    mesh: Any, peer: Any, room_server: Any, assert_media: Any
) -> None:
    from roomcall.signaling.room import JoinOptions, RoomClient

    ann, bob = await mesh(2, fps=15)
    liar = RoomClient(room_server.url, "mesh", JoinOptions("liar"))
    await liar.connect()
    try:
        for call in (ann, bob):
            for sdp in ("", "v=0", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "\0" * 100):
                offer = {"type": "offer", "payload": {"type": "offer", "sdp": sdp, "callId": "1"}}
                await liar.send(call.id, offer)
            failed = await call.wait_for(roomcall.PeerFailed, 10)
            assert failed.name == "liar"
        await assert_media(ann, bob, min_fps=3, seconds=1)
    finally:
        await liar.close()
    await ann.wait_for(roomcall.PeerLeft, 10, name="liar")


async def test_two_rooms_no_call_across(peer: Any) -> None:
    ann, bob = await peer("one", name="ann"), await peer("two", name="bob")
    other = await peer("one", name="other")
    await ann.wait_for(roomcall.PeerConnected, 10)
    assert list(ann.peers) == [other.id]
    assert not bob.peers


async def test_leaving_ends_the_tracks_of_the_one_who_left(mesh: Any) -> None:
    ann, bob, cem = await mesh(3)
    track = ann.peers[bob.id].video
    watching = asyncio.create_task(watch(track, 60))
    await bob.leave()
    left = await ann.wait_for(roomcall.PeerLeft, 10)
    assert (left.name, left.reason) == ("bob", "left")
    with pytest.raises(AssertionError, match="it has ended"):
        await watching
    assert list(await ann.stats()) == [cem.id]


async def test_who_sends_nothing_sees_all_the_same(mesh: Any, peer: Any, assert_media: Any) -> None:
    (ann,) = await mesh(1)
    silent = await peer("mesh", video="none", audio="none")
    await assert_media(silent, ann, min_fps=3, seconds=1)
    assert ann.peers[silent.id].video is None


async def test_an_object_of_ones_own_is_a_source(peer: Any) -> None:
    class Grey:
        kind = "video"

        async def recv(self) -> av.VideoFrame:
            await asyncio.sleep(0.05)
            frame = av.VideoFrame(320, 240, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            return frame

    await peer("grey", name="ann", video=Grey())
    bob = await peer("grey", name="bob")
    first = await bob.wait_for(roomcall.FirstFrame, 15, kind="video")
    assert (first.width, first.height) == (320, 240)


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_packets_are_as_they_were_encoded(peer: Any, codec: str) -> None:
    await peer("packets", name="ann", video="testsrc", video_codec=codec)
    bob = await peer("packets", name="bob", video_codec=codec)
    added = await bob.wait_for(roomcall.TrackAdded, 10, kind="video")
    assert added.codec.lower() == codec
    await bob.wait_for(roomcall.FirstFrame, 10, kind="video")
    async with asyncio.timeout(10):
        async for packet in added.track.packets():
            assert packet.data
            break


async def test_chat_goes_to_all(mesh: Any) -> None:
    ann, bob = await mesh(2, video="none")
    await ann.chat("hello")
    said = await bob.wait_for(roomcall.ChatReceived, 20)
    assert (said.name, said.text, said.own) == ("ann", "hello", False)


async def test_chat_to_one(mesh: Any) -> None:
    ann, bob, cem = await mesh(3, video="none")
    await ann.chat("between us", to=ann.peers[bob.id])
    await ann.chat("to all")
    assert (await bob.wait_for(roomcall.ChatReceived, 20)).text == "between us"
    assert (await cem.wait_for(roomcall.ChatReceived, 20)).text == "to all"


async def test_a_bad_file_is_named_before_the_server_is_asked(tmp_path: Path) -> None:
    nothing = tmp_path / "cam.mp4"
    nothing.write_bytes(b"not a video")
    with pytest.raises(roomcall.SourceError, match=r"cam\.mp4"):
        async with roomcall.join("room", server="http://127.0.0.1:9", video=str(nothing)):
            pass
