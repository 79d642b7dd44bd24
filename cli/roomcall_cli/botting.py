"""How a command runs a bot."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import roomcall

from .output import Output
from .signals import signals

if TYPE_CHECKING:
    from roomcall import Bot

    from .calling import Calling


def run_bot(bot: "Bot", room: str, calling: "Calling", options: Mapping[str, Any]) -> None:
    """In a room until the call ends; `options` are those of `roomcall.join`. What is None leaves
    the bot its own, such as its name."""
    given = {name: value for name, value in options.items() if value is not None}

    async def run() -> None:
        with calling.shown(_lines) as output:
            of_bot = {"stats_interval": 1.0} | bot.join_options() | given
            async with calling.join(room, output, **of_bot) as call:
                await calling.stay(call, output, [bot.follow(call)])

    signals.run(run())


def _lines() -> Output:
    # rich loads only where people look
    from .lines import Lines

    return Lines((roomcall.Event,))
