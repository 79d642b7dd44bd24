"""How a command runs a bot."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import roomcall

from .following import beside, leave_after, show
from .output import JsonLines, Output
from .signals import signals

if TYPE_CHECKING:
    from roomcall import Bot

    from .options import Server


def run_bot(
    bot: "Bot",
    room: str,
    *,
    server: "Server",
    duration: float | None,
    json: bool,
    options: Mapping[str, Any],
) -> None:
    """In a room until the call ends; `options` are those of `roomcall.join`."""
    # What is not given leaves the bot its own, such as its name.
    given = {name: value for name, value in options.items() if value is not None}

    async def run() -> None:
        with JsonLines() if json else _lines() as output:
            async with roomcall.join(
                room,
                server=server.url,
                ssl=server.ssl,
                on_queued=lambda event: output.event(event, ""),
                **bot.join_options() | given,
            ) as call:
                work = [bot.follow(call)]
                if duration:
                    work.append(leave_after(duration, [call]))
                async with beside(*work) as tasks:
                    with signals.answered_by(lambda: call.leave("interrupted")):
                        await show(call, output)
                    await tasks[0]

    signals.run(run())


def _lines() -> Output:
    # rich loads only where people look
    from .lines import Lines

    return Lines((roomcall.Event,))
