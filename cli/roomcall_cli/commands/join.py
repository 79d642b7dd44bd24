"""`roomcall join`"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

import roomcall
from roomcall.errors import NoMediaPath

from .. import following
from ..exits import of_verdict
from ..following import beside, check_recording, leave_after, show
from ..options import (
    DEFAULT_SERVER,
    SECONDS,
    SETTINGS,
    Media,
    Server,
    access_options,
    bundle_option,
    duration_option,
    expect_option,
    ice_server_option,
    json_option,
    media_options,
    network_option,
    server_options,
)
from ..output import JsonLines, Output
from ..signals import signals

if TYPE_CHECKING:
    from roomcall import Call
    from roomcall.expectations import Expectation

    from ..checking.judging import Judging
    from ..checking.keeping import Keeping


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall join standup --name ann --video cam.mp4
  roomcall join standup --video testsrc --size 640x360 --duration 30
  roomcall join standup --expect-peers 2 --timeout 10 --json
  roomcall join standup --duration 10 --expect 'framesPerSecond.min>=20' --expect 'loss<1%'""",
)
@click.argument("room")
@server_options
@click.option("--name", metavar="NAME", help="What the others see.")
@media_options
@access_options
@duration_option("Leave after so many seconds.")
@click.option(
    "--record",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write what comes from each member into a file there.",
)
@click.option("--private", is_flag=True, help="Make a new room that only its id leads to.")
@click.option(
    "--max-participants",
    type=click.IntRange(min=0),
    default=0,
    help="Of a room that is made; 0 is any number.",
)
@click.option("--ice-policy", type=click.Choice(["all", "relay"]), default="all")
@ice_server_option
@network_option
@click.option(
    "--expect-peers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Exit with 5 unless connected to N others within --timeout.",
)
@click.option(
    "--timeout", type=SECONDS, default=30.0, metavar="SECONDS", help="For --expect-peers."
)
@click.option(
    "--stats-interval",
    type=click.FloatRange(min=0),
    default=1.0,
    metavar="SECONDS",
    help="How often statistics are taken; 0 is never.",
)
@expect_option
@bundle_option
@click.option("--watch", is_flag=True, hidden=True, help="Decode everything, for its content.")
@json_option
def command(
    room: str,
    server: Server,
    media: Media,
    password: str | None,
    token: str | None,
    name: str | None,
    duration: float | None,
    record: str | None,
    create: bool,
    wait_if_full: bool,
    reconnect_for: float,
    private: bool,
    max_participants: int,
    ice_policy: Literal["all", "relay"],
    ice_server: tuple[dict[str, str], ...],
    network: str | None,
    expect_peers: int | None,
    timeout: float,
    stats_interval: float,
    expect: "tuple[Expectation, ...]",
    bundle: Path | None,
    watch: bool,
    json: bool,
) -> None:
    """Join ROOM, or make it where there is none, and call everybody in it.

    ROOM is a name, or an id where it is a UUID. Without --video and --audio you only receive.
    """

    judging = _judging(expect)
    keeping = _keeping(bundle, ice_server)
    seers = [seer for seer in (judging and judging.see, keeping and keeping.event) if seer]

    async def stay(call: "Call", output: Output) -> None:
        if private and call.room is not None:
            from roomcall.signaling.url import without_user

            where = "" if server.url == DEFAULT_SERVER else f" --server {without_user(server.url)}"
            output.note(f"Join with: roomcall join {call.room.id}{where}")
        recording = await call.record(record) if record else None
        work = [leave_after(duration, [call])] if duration else []
        if expect_peers:
            work.append(_expect(call, expect_peers, timeout))
        async with beside(*work) as tasks:
            with signals.answered_by(lambda: call.leave("interrupted")):
                await show(call, output, *seers)
            if expect_peers:
                await tasks[-1]
        if judging is not None:
            judging.end(output.note)
        if recording is not None:
            check_recording(recording)

    async def run() -> None:
        with keeping or nullcontext(), JsonLines() if json else _lines() as output:
            async with roomcall.join(
                room,
                server=server.url,
                ssl=server.ssl,
                name=name,
                video=media.video,
                audio=media.audio,
                video_size=media.video_size,
                fps=media.fps,
                video_codec=media.video_codec,
                video_bitrate=media.video_bitrate,
                audio_bitrate=media.audio_bitrate,
                loop=media.loop,
                passthrough=media.passthrough,
                password=password,
                token=token,
                create=create,
                wait_if_full=wait_if_full,
                private=private,
                max_participants=max_participants,
                ice_policy=ice_policy,
                ice_servers=ice_server,
                network=network,
                stats_interval=stats_interval or None,
                watch=watch,
                reconnect_for=reconnect_for,
                on_queued=lambda event: output.event(event, ""),
                on_signal=keeping.signal if keeping else None,
            ) as call:
                await stay(call, output)

    signals.run(run())
    if judging is not None and not judging.ok:
        sys.exit(of_verdict(False))


async def _expect(call: "Call", count: int, timeout: float) -> None:
    try:
        await following.expect_peers(call, count, timeout)
    except NoMediaPath:
        await call.leave()
        raise


def _keeping(folder: Path | None, ice_servers: tuple[dict[str, str], ...]) -> "Keeping | None":
    if folder is None:
        return None
    from ..checking.keeping import keep

    context = click.get_current_context()
    return keep(folder, context.params, ice_servers)


def _judging(expect: "tuple[Expectation, ...]") -> "Judging | None":
    if not expect:
        return None
    from ..checking.judging import Judging

    return Judging(expect)


def _lines() -> Output:
    # rich loads only where people look
    from ..lines import Lines
    from ..table import Table

    return Lines((roomcall.Event,), Table())
