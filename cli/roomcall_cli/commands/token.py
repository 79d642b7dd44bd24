"""`roomcall token`"""

import click

from ..options import SETTINGS
from ..output import write_line

_DAY = 86_400


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  export ROOMCALL_JWT_SECRET=…
  roomcall token --name ann
  roomcall token --name ann --room standup --host --ttl 3600
  ROOMCALL_TOKEN=$(roomcall token --name bot) roomcall join standup""",
)
@click.option("--name", metavar="SUB", help="Whose it is.  [default: guest-…, another each time]")
@click.option("--room", metavar="ROOM", help="The only room, by name or id, that it opens.")
@click.option(
    "--ttl",
    type=click.FloatRange(min=0, min_open=True),
    default=_DAY,
    metavar="SECONDS",
    help="How long it holds.",
)
@click.option("--host", is_flag=True, help="With the host's rights in --room.")
@click.option("--no-create", is_flag=True, help="It makes no rooms.")
@click.option("--jwt-secret", metavar="SECRET", help="The server's; better in ROOMCALL_JWT_SECRET.")
def command(
    name: str | None,
    room: str | None,
    ttl: float,
    host: bool,
    no_create: bool,
    jwt_secret: str | None,
) -> None:
    """Make a token for a server that demands one."""
    if not jwt_secret:
        raise click.UsageError("there is no secret to sign with — give ROOMCALL_JWT_SECRET")
    if host and room is None:
        raise click.UsageError("--host is for one room — name it with --room")

    from secrets import token_hex

    from roomcall_server.tokens import issue

    who = name or f"guest-{token_hex(4)}"
    write_line(issue(jwt_secret, who, ttl=ttl, room=room, create=not no_create, host=host))
