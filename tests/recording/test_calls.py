"""Recordings of real calls."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import roomcall
from roomcall.protocol import replies
from roomcall.signaling.room import JoinOptions, RoomClient
from roomcall.testing.media import make_video
from tests.recording.conftest import read_packets, read_session, watch_file

TIMEOUT = 15.0
SMALL = {"video": "testsrc", "video_size": (320, 240), "fps": 20}


async def recorded(recording: roomcall.Recording, *names: str, seconds: float = 1) -> None:
    """Wait until the files of these members hold so many seconds."""
    wanted = {f"{name}.mkv" for name in names}
    async with asyncio.timeout(TIMEOUT + seconds):
        while True:
            files = recording.session.files
            if wanted <= {file.file for file in files if file.seconds >= seconds}:
                return
            await asyncio.sleep(0.05)


def slices(sample: bytes) -> tuple[bytes, ...]:
    """Of H.264 in Matroska, where each unit has its length before it. Parameter sets are left out:
    the source has them beside its packets."""
    units, at = [], 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + 4], "big")
        units.append(sample[at + 4 : at + 4 + size])
        at += 4 + size
    return tuple(unit for unit in units if unit[0] & 31 in (1, 5))


@pytest.mark.parametrize(
    ("name", "codec"), [("cam.mkv", "libx264"), ("cam.webm", "libvpx")], ids=["h264", "vp8"]
)
async def test_packets_are_bit_for_bit_those_that_were_sent(
    peer: Any, tmp_path: Path, name: str, codec: str
) -> None:
    """The file goes out as it is, in a loop, so that it is known what was sent."""
    sent = make_video(
        tmp_path / name, codec=codec, audio="libopus", bframes=0, gop=20, fps=20, size=(320, 240)
    )
    await peer("exact", name="ann", video=str(sent))
    bob = await peer("exact", name="bob")
    recording = await bob.record(tmp_path / "out")
    await recorded(recording, "ann", seconds=3)
    await bob.leave()
    kept = tmp_path / "out" / "ann.mkv"
    sounds = set(read_packets(sent, "audio"))
    assert all(packet in sounds for packet in read_packets(kept, "audio"))
    content = slices if codec == "libx264" else bytes
    places = {content(packet): place for place, packet in enumerate(read_packets(sent, "video"))}
    found = [places[content(packet)] for packet in read_packets(kept, "video")]
    steps = {(b - a) % len(places) for a, b in zip(found, found[1:], strict=False)}
    assert steps == {1}, f"not every one, in order: {found}"


@pytest.mark.long
async def test_picture_and_sound_and_two_participants_are_in_sync(
    peer: Any, tmp_path: Path
) -> None:
    """With one that comes late over a long and lossy way. Marks in the pictures say when they were
    made, on the clock that both senders share here."""
    await peer("sync", name="ann", **SMALL)
    cem = await peer("sync", name="cem")
    recording = await cem.record(tmp_path)
    await recorded(recording, "ann", seconds=0.5)
    await peer("sync", name="bob", network="delay=60ms,loss=2%,seed=5", **SMALL)
    await recorded(recording, "ann", "bob", seconds=4.5)
    await cem.leave()
    files = {file["file"]: file for file in read_session(tmp_path)["files"]}
    seen = {name: watch_file(tmp_path / name) for name in ("ann.mkv", "bob.mkv")}
    for name, what in seen.items():
        assert len(what.flashes) >= 3
        assert abs(what.offset) <= 0.06, f"{name}: {what.flashes} {what.beeps}"
    apart = [what.behind + files[name]["offset"] for name, what in seen.items()]
    assert abs(apart[0] - apart[1]) <= 0.08


async def test_who_comes_back_has_another_file_and_who_sends_nothing_has_none(
    peer: Any, room_server: Any, tmp_path: Path
) -> None:
    watcher = RoomClient(room_server.url, "visits", JoinOptions("watcher"))
    await watcher.connect()
    cem = await peer("visits", name="cem")
    recording = await cem.record(tmp_path)
    try:
        async with asyncio.timeout(TIMEOUT):
            async for event in watcher:
                if isinstance(event, replies.MemberUpdated) and event.member.recording:
                    assert event.member.id == cem.id
                    break
        for name in ("ann", "ann-2"):
            ann = await peer("visits", name="ann", video="none", audio="testsrc")
            await ann.chat(f"I am {name}")
            await recorded(recording, name, seconds=0.5)
            await ann.leave()
            ended = str(tmp_path / f"{name}.mkv")
            await cem.wait_for(roomcall.RecordingChanged, TIMEOUT, state="finished", file=ended)
        await cem.wait_for(roomcall.ChatReceived, TIMEOUT, text="I am ann-2")
    finally:
        await watcher.close()
    await cem.leave()
    assert not recording.failures
    session = read_session(tmp_path)
    assert [(file["file"], file.get("follows")) for file in session["files"]] == [
        ("ann.mkv", None),
        ("ann-2.mkv", "ann.mkv"),
    ]
    first, second = session["files"]
    assert first["participant"] == second["participant"]
    assert second["offset"] > first["offset"] + first["seconds"]
    assert {p["name"]: len(p["visits"]) for p in session["participants"]} == {
        "ann": 2,
        "watcher": 1,
    }
    assert [chat["text"] for chat in session["chat"]] == ["I am ann", "I am ann-2"]
    assert session["ended"] > session["started"]


async def test_a_file_that_cannot_be_written_costs_the_others_nothing(
    mesh: Any, peer: Any, tmp_path: Path
) -> None:
    cem = await peer("mesh", name="cem")
    recording = await cem.record(tmp_path)
    (tmp_path / "ann.mkv").mkdir()
    ann, bob = await mesh(2, **SMALL)
    failed = await cem.wait_for(roomcall.RecordingChanged, TIMEOUT, state="failed")
    assert (failed.peer, failed.message) == (cem.peers[ann.id], "File exists")
    await recorded(recording, "bob", seconds=0.5)
    await bob.publish(video=None)
    await recording.stop()
    assert [line.split(": ")[1] for line in recording.failures] == ["File exists"]
    states = {file["file"]: file["state"] for file in read_session(tmp_path)["files"]}
    assert states == {"ann.mkv": "failed", "bob.mkv": "finished"}
    assert read_packets(tmp_path / "bob.mkv", "video")


async def test_a_folder_that_cannot_be_used_is_named_at_once(peer: Any, tmp_path: Path) -> None:
    ann = await peer("folder")
    (tmp_path / "file").touch()
    with pytest.raises(roomcall.RecordingError, match="cannot be written: .* — name another"):
        await ann.record(tmp_path / "file" / "folder")
    await ann.record(tmp_path / "used")
    with pytest.raises(roomcall.RecordingError, match="used holds a recording already"):
        await ann.record(tmp_path / "used")
