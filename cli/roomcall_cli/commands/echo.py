"""`roomcall echo`"""

from typing import Any

import click

from ..botting import run_bot
from ..options import (
    SETTINGS,
    Server,
    access_options,
    duration_option,
    ice_server_option,
    json_option,
    network_option,
    server_options,
)


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall echo standup
  roomcall echo standup --delay 2""",
)
@click.argument("room")
@click.option(
    "--delay",
    type=click.FloatRange(0, 60),
    default=0.0,
    metavar="SECONDS",
    help="Send it back so much later.",
)
@server_options
@click.option("--name", default="echo", metavar="NAME", help="What the others see.")
@access_options
@duration_option("Leave after so many seconds.")
@ice_server_option
@network_option
@json_option
def command(
    room: str,
    delay: float,
    server: Server,
    duration: float | None,
    ice_server: tuple[dict[str, str], ...],
    json: bool,
    **options: Any,
) -> None:
    """Send each member of ROOM its own picture and sound back, and nobody else's.

    They go out as they come, neither decoded nor encoded.
    """
    from roomcall.bots import Echo

    options["ice_servers"] = ice_server
    run_bot(Echo(delay), room, server=server, duration=duration, json=json, options=options)
