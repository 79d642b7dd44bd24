"""What a user may ask for, and what a bad wish is answered with."""

import os
import random
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from roomcall.errors import SourceError
from roomcall.media.sources import open_sources
from roomcall.testing.media import make_sound, make_video


async def test_nothing_is_asked_for(opened) -> None:
    for wish in ((None, None), ("none", None), (None, "none"), ("none", "none")):
        sources = await opened(*wish)
        assert sources.video is None and sources.audio is None


async def test_sound_comes_with_the_picture_unless_it_is_refused(opened, ordinary: Path) -> None:
    both = await opened(ordinary)
    assert both.video is not None and both.audio is not None
    picture = await opened(str(ordinary), "none")
    assert picture.video is not None and picture.audio is None
    sound = await opened(None, ordinary)
    assert sound.video is None and sound.audio is not None
    mixed = await opened(ordinary, "testsrc")
    assert type(mixed.audio).__name__ == "TestAudio"


@pytest.fixture(scope="module")
def bad(files: Path) -> Path:
    folder = files / "bad"
    folder.mkdir()
    (folder / "empty.mp4").touch()
    (folder / "text.txt").write_text("Dear diary, today was a day.\n" * 50)
    (folder / "text.mp4").write_text("Dear diary, today was a day.\n" * 50)
    (folder / "noise.mp4").write_bytes(random.Random(7).randbytes(20_000))
    (folder / "words.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    (folder / "folder.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    make_sound(folder / "song.ogg", seconds=0.2)
    mute = make_video(folder / "mute.mp4", seconds=0.4, size=(160, 120), audio=None)
    (folder / "headless.mp4").write_bytes(mute.read_bytes()[:2000])
    # Its header is right, and no picture in it can be decoded.
    broken = make_video(
        folder / "broken.mkv", seconds=0.4, size=(160, 120), codec="mpeg4", audio=None
    )
    data = broken.read_bytes()
    start = data.index(b"\x1f\x43\xb6\x75") + 24  # the first Cluster of Matroska
    broken.write_bytes(data[:start] + bytes(len(data) - start))
    return folder


@pytest.mark.parametrize(
    "video, audio, says",
    [
        ("missing.mp4", None, "does not exist"),
        ("", None, "without a name"),
        ("folder.mp4", None, "is a folder"),
        ("empty.mp4", None, "is empty"),
        ("text.txt", None, "neither picture nor sound"),
        ("text.mp4", None, "no media"),
        ("noise.mp4", None, "no media"),
        ("words.srt", None, "neither picture nor sound"),
        ("headless.mp4", None, "no media"),
        ("broken.mkv", None, "cannot be decoded"),
        ("pipe.mp4", None, "no regular file"),
        ("song.ogg", "none", "has no picture"),
        ("mute.mp4", "mute.mp4", "has no sound"),
        (None, "mute.mp4", "has no sound"),
        ("mute.mp4", "missing.ogg", "does not exist"),
        (3, None, "is no source"),
    ],
)
async def test_a_bad_source_is_answered_in_one_line(
    bad: Path, monkeypatch: pytest.MonkeyPatch, video: object, audio: object, says: str
) -> None:
    monkeypatch.chdir(bad)
    with pytest.raises(SourceError) as caught:
        await open_sources(video, audio)
    text = str(caught.value)
    assert says in text
    assert " — " in text and "\n" not in text
    assert "Error" not in text and "Errno" not in text and "Exception" not in text
    assert caught.value.__cause__ is None
    assert caught.value.source in text
    assert not [t for t in threading.enumerate() if t.name.startswith("roomcall")]


async def test_without_permission(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = bad / "locked.mp4"
    locked.touch()
    locked.chmod(0)
    # The superuser may read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: stat.S_IMODE(os.stat(path).st_mode) & mode)
    with pytest.raises(SourceError, match="may not be read"):
        await open_sources(locked)


async def test_a_colon_or_a_percent_sign_in_a_name(opened, ordinary: Path, files: Path) -> None:
    odd = files / "12:30 100%d.mp4"
    odd.symlink_to(ordinary)
    assert (await opened(odd)).video is not None


def test_importing_roomcall_loads_no_media() -> None:
    code = "import roomcall, sys; sys.exit('av' in sys.modules or 'aiortc' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_sources_loads_no_aiortc() -> None:
    code = "import roomcall.media.sources, sys; sys.exit('aiortc' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
