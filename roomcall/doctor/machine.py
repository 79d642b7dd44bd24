"""Versions, processors, memory and room on the disks."""

import os
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from .. import __version__
from .findings import Finding, failed, ok, skipped

ROOM_NEEDED = 100e6  # bytes: a minute of four recorded pictures
MEMORY_NEEDED = 200e6  # bytes: a call of four

MEMINFO = Path("/proc/meminfo")


def find_versions() -> list[Finding]:
    """Loads aiortc and PyAV: what uses them works only where this does not fail."""
    system, python = f"{platform.system()} {platform.release()}", platform.python_version()
    own = {"roomcall": __version__, "python": python, "system": system}
    first = ok("roomcall", f"{__version__}, Python {python}, {system}", values=own)
    try:
        import av

        from ..peer import internals  # noqa: F401  it looks for what it needs in aiortc
    except ImportError as error:
        text, _, advice = str(error).partition(" — ")
        advice = advice or "install them again: pip install --force-reinstall aiortc av"
        return [first, failed("libraries", text, advice)]
    libraries = {name: version(name) for name in ("aiortc", "aioice", "av")}
    libraries["ffmpeg"] = av.ffmpeg_version_info
    text = "aiortc {aiortc}, aioice {aioice}, PyAV {av}, FFmpeg {ffmpeg}".format(**libraries)
    return [first, ok("libraries", text, values=libraries)]


def find_resources() -> list[Finding]:
    """May block where a network drive is gone."""
    return [_processors(), _memory(), *_disks()]


def _processors() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    busy = load > (usable or 1)
    advice = "busy: speeds and times below are those of a busy machine" if busy else ""
    text = f"{usable}, load {load:.1f}"
    return ok("processors", text, advice, {"processors": usable, "load": round(load, 2)})


def _memory(meminfo: Path = MEMINFO) -> Finding:
    try:
        sizes = parse_meminfo(meminfo.read_text())
        total, available = sizes["MemTotal"], sizes["MemAvailable"]
    except (OSError, KeyError):
        return skipped("memory", "unknown on this system")
    text = f"{gigabytes(available)} of {gigabytes(total)} are free"
    values = {"total": total, "available": available}
    if available < MEMORY_NEEDED:
        return failed("memory", text, "end what is not needed", values=values)
    return ok("memory", text, values=values)


def parse_meminfo(text: str) -> dict[str, int]:
    """Pure: /proc/meminfo by name, in bytes."""
    lines = [line.split() for line in text.splitlines()]
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines if len(line) == 3}


def _disks() -> list[Finding]:
    found = [_disk("working folder", Path.cwd())]
    try:
        found.append(_disk("temporary folder", Path(tempfile.gettempdir())))
    except OSError:
        advice = "make /tmp writable, or name another with TMPDIR"
        found.append(failed("temporary folder", "there is none to write to", advice))
    return found


def _disk(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{gigabytes(free)} free in {folder}"
    values = {"path": str(folder), "free": free}
    if free < ROOM_NEEDED:
        return failed(name, text, "make room: recordings and logs need some", values=values)
    if not os.access(folder, os.W_OK):
        return ok(name, f"{text}, read-only", "recordings have to go elsewhere", values=values)
    return ok(name, text, values=values)


def gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
