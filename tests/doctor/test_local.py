"""This machine: UDP, codecs, devices, and checks that hang or break."""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from roomcall.doctor import codecs, devices, examination, machine, network
from roomcall.doctor.blocking import in_thread
from roomcall.doctor.findings import Finding, Status

ALSA = """\
00-00: ALC892 Analog : ALC892 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
01-00: USB Audio : USB Audio : capture 1
"""


async def test_packets_of_this_machine_reach_it() -> None:
    (found,) = await network.find_udp(4)
    assert found.status is Status.OK, found
    assert found.values["received"] == network.PACKETS


@pytest.mark.parametrize("codec", codecs.CODECS)
async def test_codecs_are_measured(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "LONGEST", 0.05)
    (found,) = await codecs.find_codec(codec)
    assert found.status in (Status.OK, Status.SATURATED), found
    assert found.values["encode"] > 0 and found.values["decode"] > 0


async def test_a_codec_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codecs.CODECS, "AV2", codecs.Codec("AV2", "video"))
    (found,) = await codecs.find_codec("AV2")
    assert found.status is Status.FAILED and "pip install" in found.advice


def test_versions_name_what_media_depends_on() -> None:
    _, libraries = machine.find_versions()
    assert set(libraries.values) == {"aiortc", "aioice", "av", "ffmpeg"}
    assert libraries.status is Status.OK


def test_only_what_captures_is_a_microphone(tmp_path: Path) -> None:
    assert [device.value for device in devices.parse_alsa(ALSA)] == ["hw:0,0", "hw:1,0"]
    listing = tmp_path / "pcm"
    listing.write_text(ALSA)
    (tmp_path / "snd").mkdir()
    (tmp_path / "snd/pcmC0D0c").touch()
    here, away = devices.find_microphones(listing, tmp_path)
    assert here.status is Status.OK and here.figure == "--audio hw:0,0 (ALC892 Analog)"
    assert away.status is Status.SKIPPED and "container" in away.figure
    (none,) = devices.find_microphones(tmp_path / "nothing", tmp_path)
    assert none.status is Status.SKIPPED


def test_a_camera_that_cannot_be_asked_is_told_by_its_value(tmp_path: Path) -> None:
    for name in ("video2", "video10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text("Cam\n")
    dev = tmp_path / "dev"
    dev.mkdir()
    (dev / "video2").touch()  # a file, which knows nothing of V4L2
    broken, away = devices.find_cameras(tmp_path, dev)
    assert broken.status is Status.FAILED and f"--video {dev}/video2 (Cam)" in broken.figure
    assert away.status is Status.SKIPPED and "video10" in away.figure


async def test_the_screen(tmp_path: Path) -> None:
    (found,) = await devices.find_screen({}, tmp_path)
    assert found.status is Status.SKIPPED
    (found,) = await devices.find_screen({"DISPLAY": ":7"}, tmp_path)
    assert found.status is Status.FAILED and "DISPLAY=:7" in found.figure
    (found,) = await devices.find_screen({"DISPLAY": "nonsense"}, tmp_path)
    assert found.status is Status.FAILED
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "X7"))
        server.listen()
        (found,) = await devices.find_screen({"DISPLAY": ":7.0"}, tmp_path)
    assert found.status is Status.OK and "--video screen" in found.figure


async def test_a_check_that_hangs_or_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    class Report:
        def __init__(self) -> None:
            self.findings: dict[str, Finding] = {}

        def begin(self, title: str) -> None:
            pass

        def add(self, finding: Finding) -> None:
            self.findings[finding.name] = finding

    hang = threading.Event()
    monkeypatch.setattr(examination, "TIMEOUT", 1.0)
    monkeypatch.setattr(devices, "find_cameras", hang.wait)
    monkeypatch.setattr(devices, "find_microphones", lambda: 1 / 0)
    monkeypatch.setattr(codecs, "CODECS", {})
    report = Report()
    server = examination.signaling.Server("http://127.0.0.1:9", asked_for=False)
    try:
        await examination.examine(server, [], report)
    finally:
        hang.set()
    assert "no result within" in report.findings["camera"].figure
    assert "ZeroDivisionError" in report.findings["microphone"].figure
    assert report.findings["servers"].status is Status.SKIPPED


async def test_a_call_in_a_thread_gives_and_raises_what_it_does() -> None:
    assert await in_thread(int, "7") == 7
    with pytest.raises(ValueError, match="seven"):
        await in_thread(int, "seven")
    hang = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await in_thread(hang.wait)
    hang.set()
