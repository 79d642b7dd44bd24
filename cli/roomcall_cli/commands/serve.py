"""`roomcall serve`"""

import asyncio
from typing import Any

import click

import roomcall_server

from ..collector import keep_quiet
from ..logs import log_as_json
from ..options import SETTINGS, json_option
from ..output import write_json, write_line, write_note, write_warning
from ..signals import signals

COUNT = click.IntRange(min=0)
RATE = click.FloatRange(min=0)


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall serve
  roomcall serve --host 0.0.0.0 --port 80 --max-rooms 100
  roomcall serve --store sqlite:////var/lib/roomcall/rooms.db
  ROOMCALL_TURN_SECRET=… roomcall serve --turn-url turn:turn.example:3478""",
)
@click.option("--host", default="127.0.0.1", help="The address to listen at; 0.0.0.0 is all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="0 takes a free one.")
@click.option(
    "--store",
    default="memory",
    metavar="STORE",
    help="Where rooms are kept: memory; sqlite:///FILE, from which a restart goes on; or "
    "redis://HOST, which several servers share (its URL also in ROOMCALL_STORE).",
)
@click.option(
    "--history-days",
    type=RATE,
    default=30,
    metavar="DAYS",
    help="How long it is kept what happened in rooms; 0 is not at all.",
)
@click.option("--stun-url", multiple=True, metavar="URL", help="For all clients; repeatable.")
@click.option("--turn-url", multiple=True, metavar="URL", help="For all clients; repeatable.")
@click.option(
    "--turn-secret",
    default="",
    metavar="SECRET",
    help="Shared with the TURN server; better in ROOMCALL_TURN_SECRET.",
)
@click.option(
    "--turn-ttl",
    type=click.IntRange(min=1),
    default=3600,
    metavar="SECONDS",
    help="How long TURN credentials hold.",
)
@click.option(
    "--allow-origin",
    multiple=True,
    metavar="ORIGIN",
    help="A web site whose pages may connect, or *; repeatable.",
)
@click.option(
    "--trust-proxy",
    multiple=True,
    metavar="NETWORK",
    help="An address or network whose X-Forwarded-For is believed; repeatable.",
)
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The certificate (PEM, with its chain): serve https.",
)
@click.option(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The key of the certificate (PEM).",
)
@click.option(
    "--admin-token",
    default="",
    metavar="SECRET",
    help="What the admin shows over HTTP; better in ROOMCALL_ADMIN_TOKEN.",
)
@click.option("--max-clients", type=COUNT, default=0, metavar="N", help="0 is any number.")
@click.option("--max-rooms", type=COUNT, default=0, metavar="N", help="0 is any number.")
@click.option(
    "--max-rooms-per-client", type=click.IntRange(min=1), default=8, metavar="N", help="At once."
)
@click.option("--max-message-bytes", type=click.IntRange(min=1024), default=65_536, metavar="N")
@click.option(
    "--max-per-address", type=COUNT, default=0, metavar="N", help="Connections; 0 is any number."
)
@click.option(
    "--rate-messages",
    type=RATE,
    default=200,
    metavar="N",
    help="Messages a second of a client; 0 is any number.",
)
@click.option(
    "--rate-bytes",
    type=RATE,
    default=0,
    metavar="N",
    help="Bytes a second of a client; 0 is any number.",
)
@click.option(
    "--rate-joins",
    type=RATE,
    default=0,
    metavar="N",
    help="Joins a second from an address; 0 is any number.",
)
@click.option(
    "--empty-ttl",
    type=COUNT,
    default=0,
    metavar="SECONDS",
    help="How long an empty room lives on, where its maker does not say.",
)
@click.option(
    "--max-empty-ttl", type=COUNT, default=86_400, metavar="SECONDS", help="The most to be asked."
)
@click.option(
    "--resume-grace",
    type=RATE,
    default=10,
    metavar="SECONDS",
    help="How long a lost client keeps its place; 0 is not at all.",
)
@click.option(
    "--drain-seconds",
    type=RATE,
    default=5,
    metavar="SECONDS",
    help="In which clients are told that the server stops; 0 is at once.",
)
@click.option("--direct-mode", is_flag=True, help="Also serve clients that know no rooms.")
@click.option(
    "--jwt-secret",
    default="",
    metavar="SECRET",
    help="Demand a token of every client; better in ROOMCALL_JWT_SECRET.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Of the log on stderr; -v has a line for each request.",
)
@json_option
def command(
    host: str,
    port: int,
    store: str,
    stun_url: tuple[str, ...],
    turn_url: tuple[str, ...],
    allow_origin: tuple[str, ...],
    trust_proxy: tuple[str, ...],
    tls_cert: str | None,
    tls_key: str | None,
    log_format: str,
    json: bool,
    **settings: Any,
) -> None:
    """Run the signaling server, and the page for browsers at its address."""
    # The other options have the names of `roomcall_server.Config`.

    async def run() -> None:
        serving = roomcall_server.serve(
            host=host,
            port=port,
            store=store,
            stun_urls=stun_url,
            turn_urls=turn_url,
            allow_origins=allow_origin,
            trust_proxies=trust_proxy,
            tls_cert=tls_cert or "",
            tls_key=tls_key or "",
            **settings,
        )
        async with serving as server:
            keep_quiet()
            if json:
                write_json({"event": "listening", "url": server.url, "port": server.port})
            else:
                write_line(f"Listening at {server.url}")
                write_note("That is also the address of the page. Ctrl-C ends it.")
            if turn_url and not settings["jwt_secret"]:
                write_warning("anybody who connects gets TURN credentials")
            await asyncio.Event().wait()  # until the first signal cancels it

    if log_format == "json":
        log_as_json()
    try:
        signals.run(run(), fast=True, hurried=True)
    except (roomcall_server.ConfigError, roomcall_server.StartError) as error:
        raise click.UsageError(f"{error}") from None
