"""`roomcall check`"""

import secrets
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import click
from click.core import ParameterSource

from ..exits import of_verdict, write_error
from ..following import beside, names
from ..options import (
    SECONDS,
    SETTINGS,
    Media,
    Server,
    access_options,
    bundle_option,
    expect_option,
    ice_server_option,
    json_option,
    media_options,
    network_option,
    server_options,
)
from ..output import write_file
from ..signals import Interrupted, signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from roomcall.checking.runs import Run
    from roomcall.expectations import Expectation

    from ..checking.peers import Event

SMALL = (320, 240), 15.0  # of testsrc, so that it fits a small machine of a CI


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall check
  roomcall check --expect 'framesPerSecond.min>=12' --expect 'loss<1%' --junit check.xml
  roomcall check --server https://rooms.example --relay
  roomcall check standup --server https://rooms.example --await 1
  roomcall check --peers 1 --browser""",
)
@click.argument("room", required=False)
@partial(server_options, default="one of its own")
@click.option("--peers", type=click.IntRange(1, 50), default=3, metavar="N", help="Of our own.")
@click.option(
    "--await",
    "awaited",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Wait for so many members that are not ours, and judge what they send.",
)
@click.option(
    "--browser",
    is_flag=True,
    help="A Chromium comes too, by the server's page, and what it sends is judged.",
)
@partial(media_options, default="testsrc")
@access_options
@click.option(
    "--duration", type=SECONDS, default=10.0, metavar="SECONDS", help="How long it is measured."
)
@click.option(
    "--timeout",
    type=SECONDS,
    default=30.0,
    metavar="SECONDS",
    help="In which everybody has to be there and connected.",
)
@expect_option
@network_option
@click.option("--relay", is_flag=True, help="Go through a TURN server.")
@ice_server_option
@click.option(
    "--on-saturated",
    type=click.Choice(["fail", "pass"]),
    help="What it is where this machine was too slow.  [default: no verdict, exit code 6]",
)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result as JUnit XML too.",
)
@bundle_option
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Write a page with plots and the matrix of pairs; it needs no network.",
)
@json_option
def command(
    room: str | None,
    server: Server,
    peers: int,
    awaited: int,
    browser: bool,
    media: Media,
    password: str | None,
    token: str | None,
    create: bool,
    wait_if_full: bool,
    reconnect_for: float,
    duration: float,
    timeout: float,
    expect: "tuple[Expectation, ...]",
    network: str | None,
    relay: bool,
    ice_server: tuple[dict[str, str], ...],
    on_saturated: Literal["fail", "pass"] | None,
    junit: Path | None,
    bundle: Path | None,
    report: Path | None,
    json: bool,
) -> None:
    """Say whether a call works: yes (0), no (1), or that this machine was too slow to know (6).

    Peers, each a process of its own, meet in ROOM on a server that is started for it, or on
    --server, and every ordered pair is measured. By default they send testsrc at 320x240 and 15
    pictures a second.
    """
    source = click.get_current_context().get_parameter_source("server")
    own_server = source is ParameterSource.DEFAULT
    if relay and own_server and not any(s["urls"].startswith("turn") for s in ice_server):
        raise click.UsageError(
            "--relay needs a TURN server — name it with --ice-server, or a server that has one with"
            " --server"
        )
    awaited += browser
    if peers + awaited < 2:
        raise click.UsageError(
            "--peers 1 is nobody to talk to — give --await 1, --browser or more peers"
        )
    from roomcall.checking.verdict import judge_call

    from ..checking.arguments import arguments_of, secrets_of
    from ..checking.bundle import make, read, write
    from ..checking.conduct import Conductor, Plan
    from ..checking.output import JsonLines, Lines
    from ..checking.page import page_of
    from ..checking.progress import Progress
    from ..checking.results import tell_github, write_junit

    if media.video is None and media.audio is None:
        media = replace(media, video="testsrc")
    if media.video == "testsrc":
        media = replace(media, video_size=media.video_size or SMALL[0], fps=media.fps or SMALL[1])
    interval = min(1.0, duration / 4)
    output = JsonLines() if json else Lines()
    if bundle is None and report is not None:
        # A page is made from a bundle.
        temporary = TemporaryDirectory(prefix="roomcall-check-")
        bundle = Path(click.get_current_context().with_resource(temporary))
    if bundle is not None:
        make(bundle)
    conductor: Conductor | None = None

    room = room or f"check-{secrets.token_hex(4)}"

    async def run() -> None:
        nonlocal conductor
        async with AsyncExitStack() as stack:
            url = server.url
            if own_server:
                import roomcall_server

                url = (await stack.enter_async_context(roomcall_server.serve())).url
            progress = stack.enter_context(Progress())
            arguments = arguments_of(
                room,
                server=server,
                media=media,
                create=create,
                wait_if_full=wait_if_full,
                reconnect_for=reconnect_for,
                relay=relay,
                network=network,
                interval=interval,
                limit=timeout + duration + 60,
            )
            hidden = secrets_of(url, password, token, ice_server)
            plan = Plan(
                names(peers), arguments, hidden, awaited, timeout, duration, interval, bundle
            )
            see: Callable[[Run, Event], None] = output.event
            if browser:
                from ..checking.visiting import visitor

                page = await stack.enter_async_context(visitor())
                see = page.told(see)
                insecure = server.ssl is False
                how = {"password": password, "token": token, "insecure": insecure}
                await stack.enter_async_context(beside(page.visit(url, room, progress, **how)))
            conductor = Conductor(plan, see, progress)
            with signals.answered_by(conductor.stop):
                await conductor.conduct()

    with suppress(Interrupted):
        signals.run(run())
    if conductor is None:
        sys.exit(of_verdict(None))
    verdict = judge_call(
        conductor.runs,
        expectations=expect,
        others=conductor.others,
        missing=conductor.missing,
        on_saturated=on_saturated,
        complete=conductor.complete,
    )
    if bundle is not None:
        asked: dict[str, Any] = {
            "expect": [e.text for e in expect],
            "onSaturated": on_saturated,
            "peers": peers,
        }
        asked |= {"duration": duration, "network": network, "relay": relay, "video": media.video}
        write(bundle, conductor, verdict, asked)
        if report is not None:
            write_file(report, page_of(read(bundle)))
    # Wrong use has one line, and no report: there was no call.
    if json or verdict.code != 2:
        output.end(verdict)
    for failure in verdict.failures:
        if failure.code is not None and failure.code == verdict.code:
            write_error(failure.cause)
    if junit is not None:
        write_junit(verdict, junit)
    tell_github(verdict)
    sys.exit(verdict.code)
