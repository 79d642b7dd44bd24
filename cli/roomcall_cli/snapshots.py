"""`--snapshot DIR`: a picture of each peer, named after it, and made anew every second.

Rule 1. Whoever reads a file finds a whole picture: each takes the place of the one before it.
Rule 2. The last picture of who has left stays, until somebody of the same name comes.
Rule 3. What cannot be written is told once, and is wrong use at the end; the call goes on.
"""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import av
import click

import roomcall
from roomcall.recording.muxing import replace_file
from roomcall.recording.names import free_name, safe_name

from .checking.pictures import jpeg
from .output import unwritable_file, write_warning

if TYPE_CHECKING:
    from roomcall import Call, RemoteTrack

EVERY = 1.0  # seconds


class Snapshots:
    """Raises `click.UsageError` where the folder cannot be made."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable_file(folder, error) from None
        self._folder = folder
        self._names: set[str] = set()  # of who is there
        self._failure: click.UsageError | None = None

    async def take(self, call: "Call") -> None:
        """Until the call ends. Raises `click.UsageError`."""
        async with asyncio.TaskGroup() as tasks:
            async for event in call:
                if isinstance(event, roomcall.TrackAdded) and event.kind == "video":
                    tasks.create_task(self._follow(event.track))
        if self._failure is not None:
            raise self._failure

    async def _follow(self, track: "RemoteTrack") -> None:
        name = free_name(safe_name(track.peer.name), ".jpg", self._names)
        self._names.add(name)
        due = float("-inf")
        loop = asyncio.get_running_loop()
        try:
            async with aclosing(track.frames()) as frames:
                async for frame in frames:
                    if loop.time() >= due and isinstance(frame, av.VideoFrame):
                        due = loop.time() + EVERY
                        await self._write(self._folder / name, frame)
        finally:
            self._names.discard(name)

    async def _write(self, path: Path, frame: av.VideoFrame) -> None:
        try:
            await asyncio.to_thread(lambda: replace_file(path, jpeg(frame)))
        except OSError as error:
            if self._failure is None:
                self._failure = unwritable_file(path, error)
                write_warning(self._failure.message)
