"""A member of a room that is a program: a class with a method for each event that it answers."""

import asyncio
import logging
import re
from collections.abc import Coroutine
from typing import Any, Self

from . import events
from .call import Call
from .joining import join

logger = logging.getLogger(__name__)

MAX_RUNNING = 256  # handlers at a time; then the next event waits until one has ended


class Bot:
    """Answers events: `on_member_joined(self, event)` for `MemberJoined`, and so on for each type
    of event; `on_event` is told all of them. All are coroutines, and may take as long as they like:
    each runs in a task of its own, begun in the order of events, and ends with the call. What one
    raises is logged, and ends nothing else.

        class Greeter(roomcall.Bot):
            async def on_member_joined(self, event):
                await self.call.chat(f"Hello {event.name}!")

        asyncio.run(Greeter().run("standup"))
    """

    call: Call
    _running: set[asyncio.Task[None]]

    def __new__(cls, *_: Any, **__: Any) -> Self:
        # Not in __init__, which a bot with state of its own would have to call.
        bot = super().__new__(cls)
        bot._running = set()
        return bot

    def join_options(self) -> dict[str, Any]:
        """What it brings to `roomcall.join`; what `run` is given counts more."""
        return {"name": type(self).__name__.lower()}

    async def run(self, room: str, **options: Any) -> None:
        """Join with the options of `roomcall.join`, and answer until the call ends. Raises what
        that raises, and what has ended the call."""
        async with join(room, **self.join_options() | options) as call:
            self.call = call
            await self.follow(call)
        if call.error is not None:
            raise call.error

    async def follow(self, call: Call) -> None:
        """Answer the events of a call that somebody else has entered, until it ends."""
        self.call = call
        try:
            async for event in call:
                for name in (_handler_of(type(event)), "on_event"):
                    if (handler := getattr(self, name, None)) is not None:
                        await self._start(handler(event), name)
            # The last event is answered, whatever else still runs.
            last = [task for task in self._running if task.get_name() == "roomcall-bot-on_left"]
            await asyncio.gather(*last)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Something beside the handlers, such as a timer: it ends with the call."""
        self._spawn(work, "start")

    async def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        while len(self._running) >= MAX_RUNNING:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        self._spawn(work, name)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(self._guard(work, name), name=f"roomcall-bot-{name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _guard(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:
            logger.exception("%s.%s has failed", type(self).__name__, name)


def _handler_of(event_type: type[events.Event]) -> str:
    """`on_member_joined` for `MemberJoined`."""
    return "on" + re.sub(r"([A-Z])", r"_\1", event_type.__name__).lower()
