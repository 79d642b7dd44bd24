"""`roomcall load`"""

import sys
from typing import TYPE_CHECKING

import click

from ..exits import of_verdict
from ..options import (
    SETTINGS,
    ExpectationText,
    Server,
    json_option,
    network_option,
    server_options,
    token_option,
)
from ..output import is_quiet, write_note
from ..signals import Interrupted, signals

if TYPE_CHECKING:
    from roomcall.expectations import Expectation
    from roomcall.loading.result import Result

# Those of roomcall.loading.result, which takes its time to load.
METRICS = (
    "connect", "join", "signal", "chat", "setup", "firstFrame",
    "failed", "errors", "lost", "doubled", "misdelivered", "disordered",
    "connected", "unconnected", "receiving", "silent", "packetsReceived", "packetsLost",
)  # fmt: skip
SECONDS = click.FloatRange(min=0)


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall load
  roomcall load --clients 400 --rooms 100 --rate 2000 --duration 60
  roomcall load --media --clients 16 --rooms 4
  roomcall load --expect 'signal.p95<50ms' --expect 'failed==0' --json""",
)
@server_options
@token_option
@click.option("--clients", type=click.IntRange(min=1), default=40, metavar="N", help="In all.")
@click.option(
    "--rooms", type=click.IntRange(min=1), default=10, metavar="N", help="They share these evenly."
)
@click.option(
    "--rate", type=SECONDS, default=100.0, metavar="N", help="Messages a second, all together."
)
@click.option(
    "--ramp", type=SECONDS, default=5.0, metavar="SECONDS", help="Within these they all come."
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    metavar="SECONDS",
    help="How long they talk then.",
)
@click.option(
    "--media",
    is_flag=True,
    help="Connect every two of a room by WebRTC. The first sends sound, nobody decodes it.",
)
@network_option
@click.option(
    "--expect",
    type=ExpectationText(METRICS),
    multiple=True,
    help="What has to hold, such as signal.p95<50ms, join.max<1 or failed==0; repeatable.",
)
@json_option
def command(
    server: Server,
    token: str | None,
    clients: int,
    rooms: int,
    rate: float,
    ramp: float,
    duration: float,
    media: bool,
    network: str | None,
    expect: "tuple[Expectation, ...]",
    json: bool,
) -> None:
    """Put a load on a server: clients that join rooms, signal and chat, with --media peers too.

    Each message is looked for at whom it is for: once, in order. Of four messages three are signals
    to one other, one is chat to the room. Exits with 1 where something failed, and with 6 where
    this machine was itself too slow to know.
    """
    if rooms > clients:
        raise click.UsageError(f"--rooms {rooms} is more than --clients {clients}")
    if network is not None and not media:
        raise click.UsageError("--network is for what --media sends — give both")

    from roomcall.loading.result import judge
    from roomcall.loading.running import Load, Plan
    from roomcall.network.conditions import Network

    from ..collector import keep_quiet
    from ..loading import raise_file_limit, show, show_json

    raise_file_limit(clients, peers=-(-clients // rooms) - 1 if media else 0)
    plan = Plan(
        server=server.url,
        clients=clients,
        rooms=rooms,
        rate=rate,
        ramp=ramp,
        duration=duration,
        token=token,
        ssl=server.ssl,
        media=media,
        network=None if network is None else Network.parse(network),
    )
    results: list[Result] = []

    async def run() -> None:
        load = Load(plan, _tell)
        keep_quiet()
        results.append(load.result)
        await load.run()

    try:
        signals.run(run(), fast=True)
    except Interrupted:
        if not results:
            raise
    verdict = judge(results[0], expect)
    (show_json if json else show)(results[0], verdict)
    sys.exit(of_verdict(verdict.ok))


def _tell(result: "Result", at: str) -> None:
    if not is_quiet() and sys.stderr.isatty():
        write_note(
            f"{at}: {result.joined} joined, {result.sent} sent, {result.received} received,"
            f" {result.counts['failed']} failed"
        )
