"""Cameras, microphones and the screen, by the value that --video and --audio take.

Linux: V4L2, ALSA, X11. Nothing is recorded, and no device is opened for more than its name card.
"""

import asyncio
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from .findings import Finding, failed, ok, skipped

VIDEO_CLASS = Path("/sys/class/video4linux")
ALSA_DEVICES = Path("/proc/asound/pcm")
DEV = Path("/dev")
X11_SOCKETS = Path("/tmp/.X11-unix")
X11_PORT = 6000
TIMEOUT = 2.0  # seconds for the X server

# linux/videodev2.h: _IOR('V', 0, struct v4l2_capability), and where its flags are
_QUERYCAP, _CAPABILITY_BYTES = 0x80685600, 104
_CAPABILITIES, _DEVICE_CAPS = slice(84, 88), slice(88, 92)
_HAS_DEVICE_CAPS = 1 << 31
_CAPTURES = 0x1 | 0x1000  # V4L2_CAP_VIDEO_CAPTURE, and that of several planes


def find_cameras(video_class: Path = VIDEO_CLASS, dev: Path = DEV) -> list[Finding]:
    """May block for as long as a driver does."""
    found = list(_cameras(video_class, dev))
    return found or [skipped("camera", "none (V4L2)")]


def _cameras(video_class: Path, dev: Path) -> Iterator[Finding]:
    for entry in sorted(video_class.glob("video*"), key=lambda path: (len(path.name), path.name)):
        path = dev / entry.name
        values = {"value": str(path), "title": _read(entry / "name")}
        text = f"--video {path} ({values['title'] or 'without a name'})"
        try:
            if _captures(path):
                yield ok("camera", text, values=values)
        except PermissionError:
            yield failed("camera", f"{text} may not be opened", _join("video"), values)
        except FileNotFoundError:
            yield skipped("camera", f"{text} is not in this container", values=values)
        except OSError as error:
            why = error.strerror or error
            yield failed("camera", f"{text}: {why}", "unplug it and plug it in again", values)


def _captures(path: Path) -> bool:
    """A camera has further nodes, which give no pictures. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        card = fcntl.ioctl(descriptor, _QUERYCAP, bytes(_CAPABILITY_BYTES))
    finally:
        os.close(descriptor)
    flags = int.from_bytes(card[_CAPABILITIES], "little")
    if flags & _HAS_DEVICE_CAPS:
        flags = int.from_bytes(card[_DEVICE_CAPS], "little")
    return bool(flags & _CAPTURES)


def find_microphones(alsa_devices: Path = ALSA_DEVICES, dev: Path = DEV) -> list[Finding]:
    found = []
    for device in parse_alsa(_read(alsa_devices)):
        text = f"--audio {device.value} ({device.title})"
        values = {"value": device.value, "title": device.title}
        path = dev / f"snd/pcmC{device.card}D{device.number}c"
        if not path.exists():
            found.append(skipped("microphone", f"{text} is not in this container", values=values))
        elif os.access(path, os.R_OK | os.W_OK):
            found.append(ok("microphone", text, values=values))
        else:
            found.append(failed("microphone", f"{text} may not be opened", _join("audio"), values))
    return found or [skipped("microphone", "none (ALSA)")]


class SoundDevice(NamedTuple):
    card: int
    number: int
    title: str

    @property
    def value(self) -> str:
        return f"hw:{self.card},{self.number}"


def parse_alsa(text: str) -> list[SoundDevice]:
    """Pure: those that capture, of what /proc/asound/pcm says."""
    pattern = r"(\d+)-(\d+): ([^:\n]*?) *:.*\bcapture\b"
    return [
        SoundDevice(int(card), int(number), title)
        for card, number, title in re.findall(pattern, text)
    ]


async def find_screen(environment: Mapping[str, str], sockets: Path = X11_SOCKETS) -> list[Finding]:
    display = environment.get("DISPLAY", "")
    if not display:
        wayland = " (Wayland is, but screen needs X11)" if "WAYLAND_DISPLAY" in environment else ""
        return [skipped("screen", f"DISPLAY is not set{wayland}")]
    match = re.fullmatch(r"(.*):(\d+)(?:\.\d+)?", display)
    if match is None:
        return [failed("screen", f"DISPLAY={display} is no display", "set it as in DISPLAY=:0")]
    host, number = match[1], int(match[2])
    try:
        async with asyncio.timeout(TIMEOUT):
            if host in ("", "unix"):
                path = str(sockets / f"X{number}")
                _, writer = await asyncio.open_unix_connection(path)
            else:
                _, writer = await asyncio.open_connection(host, X11_PORT + number)
    except OSError:  # a TimeoutError too
        text = f"no X server answers at DISPLAY={display}"
        return [failed("screen", text, "start it, or unset DISPLAY")]
    with closing(writer):
        return [ok("screen", f"--video screen (X11 display {display})", values={"value": "screen"})]


def _join(group: str) -> str:
    return f"join its group, then log in again: sudo usermod -aG {group} $USER"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
