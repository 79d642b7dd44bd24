"""`roomcall echo`"""

import click

from ..botting import run_bot
from ..calling import Calling, calling_options
from ..options import SETTINGS


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
@click.option("--name", default="echo", metavar="NAME", help="What the others see.")
@calling_options
def command(room: str, delay: float, name: str, calling: Calling) -> None:
    """Send each member of ROOM its own picture and sound back, and nobody else's.

    They go out as they come, neither decoded nor encoded.
    """
    from roomcall.bots import Echo

    run_bot(Echo(delay), room, calling, {"name": name})
