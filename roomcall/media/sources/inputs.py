"""Devices and addresses, as people name them, to what FFmpeg opens. Pure.

Linux: cameras by V4L2, microphones by ALSA (whose `default` is PulseAudio or PipeWire where their
ALSA plug-in is installed), the screen by X11.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..source import Kind, VideoOptions

_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_SOUND_CARD = re.compile(r"(?:plug)?hw:\d+(?:,\d+)?|(?:sys)?default(?::.+)?|pulse|pipewire")
SCREEN_FPS = 15


@dataclass(frozen=True, slots=True)
class Input:
    """`name` is for people and has no secret; `address`, `format` and `options` are FFmpeg's.

    `kinds`: what it may have.
    """

    name: str
    address: str
    format: str | None
    kinds: frozenset[Kind]
    options: Mapping[str, str] = field(default_factory=dict)
    advice: str = "see that it is there and may be opened"


def input_of(source: str, options: VideoOptions, environment: Mapping[str, str]) -> Input | None:
    """None where `source` names a file. Raises `ValueError` for an address of an unknown kind."""
    picture: frozenset[Kind] = frozenset({"video"})
    if source == "webcam" or source.startswith("/dev/video"):
        address = "/dev/video0" if source == "webcam" else source
        wished = _wished(options, "video_size", "framerate")
        advice = "plug it in, or name another (`roomcall doctor` lists them)"
        return Input(address, address, "v4l2", picture, wished, advice)
    if source == "mic" or _SOUND_CARD.fullmatch(source):
        address = "default" if source == "mic" else source
        advice = "name another (`roomcall doctor` lists them), or install ALSA's plug-in for yours"
        return Input(source, address, "alsa", frozenset({"audio"}), {}, advice)
    if source == "screen":
        display = environment.get("DISPLAY", "")
        wished = {"framerate": str(options.fps or SCREEN_FPS)}
        advice = "set DISPLAY to a running X server (Wayland has none without Xwayland)"
        return Input("screen", display or ":0", "x11grab", picture, wished, advice)
    match = _URL.match(source)
    if match is None:
        return None
    scheme = match[1].lower()
    if scheme not in _SCHEMES:
        raise ValueError(f"{scheme}:// is not known — there are {', '.join(_SCHEMES)}")
    name = re.sub(r"(?<=://)[^/@]*@", "", source)
    asked = {"rtsp_transport": "tcp"} if scheme.startswith("rtsp") else {}
    both: frozenset[Kind] = frozenset({"video", "audio"})
    return Input(name, source, None, both, asked, "see that it answers, and is media")


def _wished(options: VideoOptions, size: str, rate: str) -> dict[str, str]:
    wished = {}
    if options.size is not None:
        wished[size] = f"{options.size[0]}x{options.size[1]}"
    if options.fps is not None:
        wished[rate] = f"{options.fps:g}"
    return wished
