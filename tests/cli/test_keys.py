"""Keys in the live view of `join`."""

import asyncio
import os
import pty
import re
import signal
import termios
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

import roomcall
from roomcall_cli.keys import Keys
from roomcall_cli.options import Media
from tests.cli.test_join import silent_server

FOUND = {"cam.mp4", "testsrc", "none", "song.ogg"}


class Stub:
    """A call, and the output: what was asked of it, and what was told."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.told: list[str] = []

    async def publish(self, **wanted: str) -> None:
        if missing := set(wanted.values()) - FOUND:
            raise roomcall.SourceError(missing.pop(), f"there is no {wanted}")
        self.asked.append(wanted)

    async def mute(self, kind: str) -> None:
        self.asked.append(f"mute {kind}")

    async def unmute(self, kind: str) -> None:
        self.asked.append(f"unmute {kind}")

    async def leave(self) -> None:
        self.asked.append("leave")

    def note(self, text: str) -> None:
        self.told.append(text)


def keys_of(video: str | None, audio: str | None = None) -> Keys:
    return Keys(Media(video, audio, None, None, "auto", None, None, True, True))


async def pressed(keys: Keys, stub: Any, text: str) -> list[Any]:
    """What is asked for when one key after the other has been pressed."""
    stub.asked.clear()
    for key in text:
        keys.press(key, stub, stub)
        await asyncio.gather(*keys._working.values())
        await asyncio.sleep(0)  # their callbacks
    return list(stub.asked)


async def test_sources_are_taken_in_turn_and_what_is_missing_is_told() -> None:
    keys, stub = keys_of("cam.mp4"), Stub()
    assert keys.line().plain == (
        "picture cam.mp4: v mute V change  sound cam.mp4: a mute A change  q leave"
    )
    # No webcam and no screen; the sound of a file goes on until it is changed too.
    assert await pressed(keys, stub, "VV") == [{"video": "testsrc"}, {"video": "none"}]
    assert len(stub.told) == 2
    assert keys.line().plain.startswith("picture: V send  sound cam.mp4:")
    # Picture and sound of the file begin together.
    assert await pressed(keys, stub, "V") == [{"video": "cam.mp4", "audio": "cam.mp4"}]
    assert await pressed(keys, stub, "AAA") == [
        {"audio": "testsrc"},
        {"audio": "none"},
        {"audio": "cam.mp4", "video": "cam.mp4"},
    ]


async def test_who_only_receives_can_begin_to_send() -> None:
    keys, stub = keys_of(None, "song.ogg"), Stub()
    assert await pressed(keys, stub, "vVv") == [{"video": "testsrc"}, "mute video"]
    assert keys.sources == {"video": "testsrc", "audio": "song.ogg"}


def test_the_line_fits_into_80_columns() -> None:
    keys = keys_of("/films/a-long-one.mp4", "a-long-song.ogg")
    keys.muted = {"video": True, "audio": True}
    assert len(keys.line()) <= 80


async def test_muting_and_the_host_who_mutes() -> None:
    keys, stub = keys_of("testsrc"), Stub()
    assert await pressed(keys, stub, "va") == ["mute video", "mute audio"]
    assert await pressed(keys, stub, "vxq") == ["unmute video", "leave"]
    now = datetime.now(UTC)
    keys.see(roomcall.Muted(time=now, t=1.0, room_id="r", kind="all", by="h"))
    assert keys.line().plain.startswith("picture testsrc: v unmute V change  sound testsrc: a unm")
    assert await pressed(keys, stub, "v") == ["unmute video"]


class Terminal:
    """`keyboard` is the end at which somebody sits, `screen` that of the process."""

    def __init__(self) -> None:
        self.keyboard, self.screen = pty.openpty()
        self._shown = ""
        self._changed = asyncio.Event()
        # What is shown has to be taken, or the process waits.
        asyncio.get_running_loop().add_reader(self.keyboard, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.keyboard)
        os.close(self.keyboard)
        os.close(self.screen)

    @property
    def mode(self) -> list[Any]:
        return termios.tcgetattr(self.screen)

    def type(self, keys: bytes) -> None:
        self._shown = ""
        os.write(self.keyboard, keys)

    async def shows(self, text: str) -> None:
        """Wait until it has shown this since the last key."""
        async with asyncio.timeout(20):
            while text not in self._shown:
                self._changed.clear()
                await self._changed.wait()

    def _read(self) -> None:
        printed = os.read(self.keyboard, 65536).decode(errors="replace")
        self._shown += re.sub(r"\x1b\[[?\d;]*\w", "", printed)
        self._changed.set()


@pytest.fixture
async def terminal() -> AsyncIterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


async def test_on_a_terminal(start: Any, room_server: Any, peer: Any, terminal: Terminal) -> None:
    before = terminal.mode
    run = await start(
        *("join", "standup", "--server", room_server.url, "--name", "bob", "--video", "testsrc"),
        *("--size", "160x120"),
        stdin=terminal.screen,
        stdout=terminal.screen,
        stderr=terminal.screen,
        environment={"TERM": "xterm"},
    )
    ann = await peer("standup", name="ann")
    await ann.wait_for(roomcall.FirstFrame, 20, name="bob", kind="audio")
    terminal.type(b"\x1b[A")  # the arrow up is no "A"
    terminal.type(b"v")
    await terminal.shows("picture testsrc: v unmute V change  sound testsrc: a mute")
    assert terminal.mode != before
    terminal.type(b"q")
    assert (await ann.wait_for(roomcall.MemberLeft, 20)).reason == "left"
    assert await run.ended() == 0
    assert terminal.mode == before


async def test_the_terminal_is_as_before_also_after_an_abort(
    start: Any, terminal: Terminal
) -> None:
    before = terminal.mode
    async with silent_server() as url:
        run = await start(
            *("join", "standup", "--server", url, "--video", "testsrc"),
            stdin=terminal.screen,
            stdout=terminal.screen,
            stderr=terminal.screen,
            environment={"TERM": "xterm"},
        )
        await terminal.shows("q leave")
        terminal.type(b"v")
        await terminal.shows("v unmute")
        assert terminal.mode != before
        run.process.send_signal(signal.SIGINT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run.process.wait(), 0.5)
        run.process.send_signal(signal.SIGINT)
        assert await run.ended() == 130
    assert terminal.mode == before
