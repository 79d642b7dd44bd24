"""What one peer leaves behind to be understood later: `--bundle DIR` of each command with a call.

    about.json      what it was called with, the versions of what it runs on, the machine
    events.jsonl    its events, as `--json` prints them: statistics over time are among them
    signals.jsonl   offers, answers and candidates that went and came
    log.txt         its log, with everything that roomcall has to say
    ID.jpg          a picture of what a peer sends

Everything goes through `roomcall.checking.blanking`: no secret is in it.
"""

import asyncio
import json
import logging
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO
from urllib.parse import urlsplit

import av

import roomcall
from roomcall.checking.blanking import Blanking
from roomcall.events import rfc3339
from roomcall.signaling.url import without_user

from ..output import unwritable_file
from .pictures import keep_picture

if TYPE_CHECKING:
    from roomcall import Event, RemoteTrack

_LIBRARIES = ("aiortc", "aioice", "av", "aiohttp")


class Keeping:
    """Written while it is entered; raises `click.UsageError` where it cannot be."""

    def __init__(
        self, folder: Path, asked: Mapping[str, Any], secrets: Iterable[str | None]
    ) -> None:
        self._folder = folder
        self._asked = asked
        self._blanked = Blanking(secrets)
        self._stack = ExitStack()
        self._files: dict[str, TextIO] = {}
        self._pictures: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            about = {"asked": self._asked, "versions": versions(), "machine": machine()}
            text = json.dumps(about, ensure_ascii=False, indent=1, default=str)
            (self._folder / "about.json").write_text(self._blanked(text) + "\n", encoding="utf-8")
            for name in ("events.jsonl", "signals.jsonl", "log.txt"):
                file = (self._folder / name).open("w", encoding="utf-8", buffering=1)
                self._files[name] = self._stack.enter_context(file)
        except OSError as error:
            self._stack.close()
            raise unwritable_file(self._folder, error) from None
        self._keep_log()
        return self

    def _keep_log(self) -> None:
        handler = _Log(self)
        # What stderr shows stays as it was asked for.
        for shown in logging.getLogger().handlers:
            self._stack.callback(shown.setLevel, shown.level)
            shown.setLevel(max(shown.level, logging.getLogger("roomcall").level))
        for name in ("roomcall", "roomcall_cli"):
            logger = logging.getLogger(name)
            self._stack.callback(logger.removeHandler, handler)
            self._stack.callback(logger.setLevel, logger.level)
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._stack.close()

    def event(self, event: "Event") -> None:
        self._write("events.jsonl", event.to_json())
        if isinstance(event, roomcall.TrackAdded) and event.kind == "video":
            keeping = asyncio.create_task(self._keep_picture(event.track))
            self._pictures.add(keeping)  # a task that nobody holds may be collected
            keeping.add_done_callback(self._pictures.discard)

    async def _keep_picture(self, track: "RemoteTrack") -> None:
        try:
            await keep_picture(track, self._folder)
        except (OSError, av.FFmpegError) as error:
            self.log(f"no picture of {track.peer.id} could be kept: {error}")

    def signal(self, ours: bool, peer: str, message: Mapping[str, Any]) -> None:
        entry = {"at": rfc3339(datetime.now(UTC)), "to" if ours else "from": peer, **message}
        self._write("signals.jsonl", json.dumps(entry, ensure_ascii=False))

    def log(self, text: str) -> None:
        self._write("log.txt", text)

    def _write(self, name: str, text: str) -> None:
        try:
            self._files[name].write(self._blanked(text) + "\n")
        except OSError as error:
            raise unwritable_file(self._folder / name, error) from None


def keep(
    folder: Path,
    parameters: Mapping[str, Any],
    password: str | None,
    token: str | None,
    ice_servers: Sequence[Mapping[str, str]],
) -> Keeping:
    """For a command that was called with these parameters of click's; the password may have come
    from elsewhere."""
    hidden = {"password", "password_file", "password_prompt", "token", "ice_server"}
    asked = {name: value for name, value in parameters.items() if name not in hidden}
    asked["server"] = without_user(parameters["server"])
    asked["ice_server"] = [server["urls"] for server in ice_servers]
    known = [password, token, urlsplit(parameters["server"]).password]
    return Keeping(folder, asked, [*known, *(server.get("credential") for server in ice_servers)])


class _Log(logging.Handler):
    def __init__(self, keeping: Keeping) -> None:
        super().__init__()
        self._keeping = keeping
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._keeping.log(self.format(record))


def versions() -> dict[str, str]:
    return {
        "roomcall": roomcall.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }


def machine() -> dict[str, Any]:
    return {"system": platform.platform(), "cores": os.cpu_count()}
