"""The command `roomcall`: its commands by name, the options of all, and how it ends.

Nothing here loads a command before it is called for.
"""

import sys
from importlib import import_module

import click
from click.exceptions import NoSuchCommand

import roomcall

from . import config, exits
from .logs import configure
from .options import SETTINGS
from .signals import signals

# The module of a command has its name.
COMMANDS = {
    "serve": "Run the signaling server.",
    "join": "Join a room and call everybody in it.",
    "record": "Record a room: a file for each participant.",
    "compose": "Make one video of a recording.",
    "echo": "Send each member of a room its own picture and sound back.",
    "run": "Run a bot of your own in a room.",
    "chat": "Talk in a room.",
    "rooms": "List the public rooms of a server.",
    "room": "Manage a room, as the server's admin.",
    "token": "Make a token for a server that demands one.",
    "doctor": "Find out what works here, and what to do where it does not.",
    "check": "Say yes or no to a call, for CI: with peers of its own, measured.",
    "load": "Put a load on a server, and see whether it bears it.",
    "report": "Make a page of what a check has left behind.",
    "demo": "Show it all at once: a server, and peers that call each other.",
}


class Commands(click.Group):
    """Loads the command that is called, and no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f".commands.{cmd_name}", __package__).command
        command.name = cmd_name  # what the reference of commands calls it
        config.prepare(ctx, cmd_name, command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _configure(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    if not ctx.resilient_parsing:
        config.load(ctx, path, COMMANDS)


@click.group(
    cls=Commands,
    context_settings=SETTINGS | {"max_content_width": 100, "show_default": True},
    subcommand_metavar="COMMAND …",
    epilog="""\b
Example:
  roomcall serve
  roomcall join standup --name ann --video cam.mp4""",
)
@click.option("-v", "--verbose", count=True, help="Log what happens; -vv logs everything.")
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=_configure,
    help="Options in TOML, a table a command; roomcall.toml is found by itself.",
)
@click.version_option(roomcall.__version__, message="%(prog)s %(version)s")
def command(verbose: int, quiet: bool) -> None:
    """WebRTC rooms without a browser.

    Each option is also read from the environment (--server from ROOMCALL_SERVER) and from
    roomcall.toml.
    """
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet exclude each other")
    configure(verbose - quiet)


def main() -> None:
    """What the command `roomcall` runs."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a character that the terminal lacks is no failure
            stream.reconfigure(errors="backslashreplace")
    with signals, exits.handled():
        command.main(prog_name="roomcall", standalone_mode=False)
