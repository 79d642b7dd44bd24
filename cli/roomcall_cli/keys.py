"""Keys in the live view of `join`.

Rule 1. They are read where stdin is a terminal as well, and while we are in its foreground.
Rule 2. Who has pressed a key that is still at work is not heard when it comes again.
Rule 3. Sources are taken in turn. One that cannot be had is told, and the next one is tried.
Rule 4. A source that is named for picture and sound is taken for both, so that they fit together.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from prompt_toolkit.input.vt100 import Vt100Input
from rich.text import Text

from roomcall import events
from roomcall.errors import RoomcallError, SourceError

from .terminal import give_keys_at_once, is_ours, mode, put_back

if TYPE_CHECKING:
    from roomcall import Call, Event

    from .options import Media
    from .output import Output

KINDS = ("video", "audio")
_OTHERS = {"video": ("webcam", "screen", "testsrc"), "audio": ("mic", "testsrc")}
_WORD = {"video": "picture", "audio": "sound"}
_MUTE = {"video": "v", "audio": "a"}
_CHANGE = {"video": "V", "audio": "A"}
FOREGROUND = 0.5  # seconds in which it is seen that we have come there
_LONGEST = 8  # characters of a source's name


class Keys:
    """What is sent now, and what a key makes of it. `changed` is called when it has changed."""

    def __init__(self, media: "Media") -> None:
        given = {"video": media.video, "audio": media.audio or media.video}
        self.sources = {kind: given[kind] or "none" for kind in KINDS}
        self.muted = dict.fromkeys(KINDS, False)
        self.changed: Callable[[], None] = lambda: None
        self._choices = {
            kind: list(dict.fromkeys([self.sources[kind], *_OTHERS[kind], "none"]))
            for kind in KINDS
        }
        self._working: dict[str, asyncio.Task[None]] = {}  # by key

    def see(self, event: "Event") -> None:
        """The host may mute us."""
        if isinstance(event, events.Muted):
            for kind in KINDS if event.kind == "all" else (event.kind,):
                self.muted[kind] = True

    def line(self) -> Text:
        """What the keys do, for below the table: 80 columns at most."""
        parts: list[str | tuple[str, str]] = []
        for kind in KINDS:
            if self.sources[kind] == "none":
                parts += [f"{_WORD[kind]}: ", (_CHANGE[kind], "bold"), " send  "]
                continue
            verb = "unmute" if self.muted[kind] else "mute"
            parts += [f"{_WORD[kind]} {_short(self.sources[kind])}: "]
            parts += [(_MUTE[kind], "bold"), f" {verb} ", (_CHANGE[kind], "bold"), " change  "]
        return Text.assemble(
            *parts, ("q", "bold"), " leave", style="dim", no_wrap=True, overflow="ellipsis"
        )

    @asynccontextmanager
    async def answered(self, call: "Call", output: "Output") -> AsyncIterator[None]:
        """Inside, keys are read and answered. The terminal is then as it was."""
        before = mode()
        keyboard = Vt100Input(sys.stdin)

        def read() -> None:
            # In the background, what is typed is for somebody else.
            for pressed in keyboard.read_keys() if is_ours() else ():
                self.press(pressed.data, call, output)

        keeping = asyncio.create_task(_keep_keys_coming(), name="roomcall-keys")
        try:
            with keyboard.attach(read):
                yield
        finally:
            keeping.cancel()
            put_back(before)
            for task in self._working.values():
                task.cancel()
            await asyncio.gather(keeping, *self._working.values(), return_exceptions=True)

    def press(self, key: str, call: "Call", output: "Output") -> None:
        """What a key does is begun; of another one, nothing."""
        if key in self._working or (work := self._work_of(key, call, output)) is None:
            return
        task = asyncio.create_task(self._do(work, output), name=f"roomcall-key-{key}")
        self._working[key] = task
        task.add_done_callback(lambda _: self._working.pop(key))

    def _work_of(
        self, key: str, call: "Call", output: "Output"
    ) -> Coroutine[Any, Any, None] | None:
        for kind in KINDS:
            if key == _MUTE[kind] and self.sources[kind] != "none":
                return self._turn(kind, call)
            if key == _CHANGE[kind]:
                return self._change(kind, call, output)
        return call.leave() if key == "q" else None

    async def _do(self, work: Coroutine[Any, Any, None], output: "Output") -> None:
        try:
            await work
        except RoomcallError as error:
            output.note(str(error))
        self.changed()

    async def _turn(self, kind: Any, call: "Call") -> None:
        self.muted[kind] = not self.muted[kind]
        self.changed()
        await (call.mute(kind) if self.muted[kind] else call.unmute(kind))

    async def _change(self, kind: str, call: "Call", output: "Output") -> None:
        for source in self._following(kind):
            for wanted in self._wanted(kind, source):
                try:
                    await call.publish(**wanted)
                except SourceError as error:
                    failure = error
                    continue
                self.sources[kind] = source
                return
            output.note(str(failure))

    def _following(self, kind: str) -> Iterator[str]:
        choices = self._choices[kind]
        place = choices.index(self.sources[kind])
        yield from choices[place + 1 :] + choices[:place]

    def _wanted(self, kind: str, source: str) -> Iterator[Mapping[str, str]]:
        """What `Call.publish` is to be asked for, one after the other until it is had."""
        (other,) = set(KINDS) - {kind}
        if source == self.sources[other] != "none":
            yield {kind: source, other: source}
        yield {kind: source}


async def _keep_keys_coming() -> None:
    """Whoever stops us, or brings us to the foreground, sets the terminal as well."""
    while True:
        give_keys_at_once()
        await asyncio.sleep(FOREGROUND)


def _short(source: str) -> str:
    name = os.path.basename(source) or source
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
