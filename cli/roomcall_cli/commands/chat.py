"""`roomcall chat`"""

import click

import roomcall

from ..options import (
    SETTINGS,
    Server,
    access_options,
    duration_option,
    json_option,
    server_options,
)
from ..output import JsonLines, Output
from ..signals import signals


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall chat standup --name ann
  roomcall chat standup --history 20 --json
  echo "the build is green" | roomcall chat standup --name ci""",
)
@click.argument("room")
@server_options
@click.option("--name", default="", metavar="NAME", help="What the others see.")
@access_options
@click.option(
    "--history",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Begin with the last N messages from before.",
)
@duration_option("Leave after so many seconds.  [default: at the end of the input]")
@json_option
def command(
    room: str,
    server: Server,
    name: str,
    password: str | None,
    token: str | None,
    create: bool,
    wait_if_full: bool,
    reconnect_for: float,
    history: int,
    duration: float | None,
    json: bool,
) -> None:
    """Talk in ROOM: say each line of the input, and show what the others say.

    Whoever calls is told that here is nobody to be seen or heard.
    """
    from roomcall.signaling.room import JoinOptions, RoomClient

    from .. import stdin
    from ..chatting import Conversation, converse

    async def run() -> None:
        client = RoomClient(
            server.url,
            room,
            JoinOptions(name, password, token, create, wait_if_full=wait_if_full),
            ssl=server.ssl,
            patience=reconnect_for,
        )
        with stdin.undisturbed(), JsonLines() if json else _lines() as output:
            conversation = Conversation(client, output)
            client.on_queued = conversation.queued
            await client.connect()
            try:
                conversation.begin()
                if history:
                    await conversation.recall(history)
                await converse(conversation, stdin.lines(), duration)
            finally:
                await client.close()

    signals.run(run())


def _lines() -> Output:
    # rich loads only where people look
    from ..lines import Lines

    return Lines(only=(roomcall.Event,))
