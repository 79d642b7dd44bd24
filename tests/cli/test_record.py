"""`roomcall record` and `join --record`, as processes."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import av
import psutil
import pytest

import roomcall
from roomcall.testing.media import make_video

SMALL = {"video": "testsrc", "video_size": (320, 240), "fps": 20}


def probed(path: Path) -> dict[str, Any]:
    """What ffprobe finds in a file when it has read all of it."""
    shown = ("stream=codec_name,nb_read_packets", "-count_packets", "-of", "json")
    read = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", *shown, path],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert not read.stderr
    streams = json.loads(read.stdout)["streams"]
    return {stream["codec_name"]: int(stream.get("nb_read_packets", 0)) for stream in streams}


@pytest.mark.system("ffmpeg", tool="ffprobe")
async def test_files_are_playable_also_after_a_kill(
    start: Any, room_server: Any, mesh: Any, tmp_path: Path
) -> None:
    ann, bob = await mesh(2, room="standup", **SMALL)
    run = await start("record", "standup", "-o", "out", "--server", room_server.url, "--json")
    for _ in range(2):
        await run.event("recording", state="started")
    begun = run.events[-1]["t"]
    while (await run.event("stats"))["t"] < begun + 3:
        pass
    run.process.send_signal(signal.SIGKILL)
    await run.ended()
    session = json.loads((tmp_path / "out" / "session.json").read_text())
    assert {file["file"]: file["state"] for file in session["files"]} == {
        "ann.mkv": "recording",
        "bob.mkv": "recording",
    }
    for name in ("ann.mkv", "bob.mkv"):
        kept = probed(tmp_path / "out" / name)
        # Its own last two seconds may be lost; it had more than three.
        assert kept["h264"] >= 20, kept
        assert kept["opus"] >= 50, kept


@pytest.mark.system("ffmpeg", tool="ffprobe")
async def test_until_empty(start: Any, room_server: Any, peer: Any, tmp_path: Path) -> None:
    options = ("--until-empty", "--segment", "2", "--server", room_server.url, "--json")
    run = await start("record", "standup", "-o", "out", *options)
    await run.event("joined")
    ann = await peer("standup", name="ann", **SMALL)
    for name in ("ann.mkv", "ann-2.mkv"):
        event = await run.event("recording", state="started")
        assert event["file"] == str(Path("out", name))
        assert event["peer"] == ann.id
    await ann.leave()
    assert (await run.event("left"))["reason"] == "empty"
    assert await run.ended() == 0
    finished = [e for e in run.events if e["event"] == "recording" and e["state"] == "finished"]
    assert len(finished) == 2
    for event in finished:
        path = tmp_path / event["file"]
        assert event["bytes"] == path.stat().st_size
        assert probed(path)["h264"] > 0
    assert 1.9 < finished[0]["seconds"] < 5  # until the next key frame, which is asked for


async def test_a_full_disk_is_exit_2_and_the_call_goes_on(
    start: Any, room_server: Any, peer: Any, tmp_path: Path
) -> None:
    ann = await peer("standup", name="ann", **SMALL)
    options = ("--server", room_server.url, "--json", "--name", "bob", "--record", "out")
    run = await start("join", "standup", *options)
    await run.event("recording", state="started")
    psutil.Process(run.process.pid).rlimit(psutil.RLIMIT_FSIZE, (40_000, 40_000))
    failed = await run.event("recording", state="failed")
    assert failed["file"] == os.path.join("out", "ann.mkv")
    assert failed["message"] == "File too large"
    await run.event("stats")
    await ann.wait_for(roomcall.PeerConnected, 5)
    assert await run.interrupted() == 2
    assert "out/ann.mkv cannot be written: File too large — make room for it" in run.errors
    assert run.errors.count("\n") == 1


async def test_a_folder_that_cannot_be_used_is_exit_2(
    start: Any, room_server: Any, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "session.json").touch()
    run = await start("record", "standup", "-o", "out", "--server", room_server.url)
    assert await run.ended() == 2
    assert run.errors == "Error: out holds a recording already — name another folder\n"


async def test_for_people(start: Any, room_server: Any, peer: Any) -> None:
    await peer("standup", name="ann", video="none", audio="testsrc")
    options = ("--duration", "3", "--server", room_server.url)
    run = await start("record", "standup", "-o", "out", *options)
    assert await run.ended() == 0
    said = "".join(run.lines)
    assert "ann started in out/ann.mkv" in said
    assert "ann finished in out/ann.mkv: " in said
    assert ["ann", "ann.mkv", "finished"] in [line.split()[:3] for line in run.lines]


async def test_compose(start: Any, tmp_path: Path) -> None:
    session = {
        "started": "2026-01-01T00:00:00.000Z",
        "participants": [{"name": "ann"}],
        "files": [
            {
                "file": "ann.mkv",
                "participant": 0,
                "peer": "1",
                "offset": 0.5,
                "seconds": 11.0,
                "tracks": [{"kind": "video", "codec": "H264", "width": 160, "height": 120}],
            }
        ],
    }
    (tmp_path / "out").mkdir()
    run = await start("compose", "out", "-o", "all.mp4")
    assert await run.ended() == 2
    assert "out/session.json cannot be read" in run.errors
    (tmp_path / "out" / "session.json").write_text(json.dumps(session))
    make_video(tmp_path / "out" / "ann.mkv", seconds=11, fps=10, size=(160, 120))
    run = await start("compose", "out", "-o", "all.mp4", "--size", "160x90")
    assert await run.ended() == 0, run.errors
    assert "\n10 of 11 s, 0 s to go\n" in f"\n{run.errors}"
    assert "all.mp4 has 11.0 s" in run.errors
    with av.open(str(tmp_path / "all.mp4")) as container:
        assert container.streams.video[0].width == 160
