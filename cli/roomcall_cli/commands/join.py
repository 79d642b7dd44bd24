"""`roomcall join`"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

import roomcall
from roomcall.errors import NoMediaPath

from .. import following
from ..calling import Calling, calling_options
from ..exits import of_verdict
from ..following import check_recording
from ..options import DEFAULT_SERVER, SECONDS, SETTINGS, Media, expect_option, media_options
from ..output import Output, is_quiet
from ..signals import signals
from ..terminal import is_typed_on

if TYPE_CHECKING:
    from roomcall import Call
    from roomcall.expectations import Expectation

    from ..checking.judging import Judging
    from ..keys import Keys
    from ..snapshots import Snapshots


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
@click.option("--name", metavar="NAME", help="What the others see.")
@media_options
@click.option(
    "--record",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write what comes from each member into a file there.",
)
@click.option(
    "--snapshot",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep a picture of each member there, a JPEG that is replaced every second.",
)
@click.option("--private", is_flag=True, help="Make a new room that only its id leads to.")
@click.option(
    "--max-participants",
    type=click.IntRange(min=0),
    default=0,
    help="Of a room that is made; 0 is any number.",
)
@click.option("--ice-policy", type=click.Choice(["all", "relay"]), default="all")
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
@click.option("--watch", is_flag=True, hidden=True, help="Decode everything, for its content.")
@calling_options
def command(
    room: str,
    name: str | None,
    media: Media,
    record: str | None,
    snapshot: Path | None,
    private: bool,
    max_participants: int,
    ice_policy: Literal["all", "relay"],
    expect_peers: int | None,
    timeout: float,
    stats_interval: float,
    expect: "tuple[Expectation, ...]",
    watch: bool,
    calling: Calling,
) -> None:
    """Join ROOM, or make it where there is none, and call everybody in it.

    ROOM is a name, or an id where it is a UUID. Without --video and --audio you only receive. On a
    terminal keys mute and change what you send; the line below the table says which.
    """

    judging = _judging(expect)
    snapshots = _snapshots(snapshot)

    async def run() -> None:
        keys = None if calling.json else _keys(media)
        with calling.shown(lambda: _lines(keys)) as output:
            joining = calling.join(
                room,
                output,
                name=name,
                **media.options(),
                private=private,
                max_participants=max_participants,
                ice_policy=ice_policy,
                stats_interval=stats_interval or None,
                watch=watch,
            )
            async with joining as call:
                if private and call.room is not None:
                    output.note(f"Join with: roomcall join {call.room.id}{_where(calling)}")
                recording = await call.record(record) if record else None
                work = [_expect(call, expect_peers, timeout)] if expect_peers else []
                if snapshots is not None:
                    work.append(snapshots.take(call))
                seers = [seer.see for seer in (judging, keys) if seer is not None]
                async with keys.answered(call, output) if keys is not None else nullcontext():
                    await calling.stay(call, output, work, seers)
                if judging is not None:
                    judging.end(output.note)
                if recording is not None:
                    check_recording(recording)

    signals.run(run())
    if judging is not None and not judging.ok:
        sys.exit(of_verdict(False))


async def _expect(call: "Call", count: int, timeout: float) -> None:
    try:
        await following.expect_peers(call, count, timeout)
    except NoMediaPath:
        await call.leave()
        raise


def _where(calling: Calling) -> str:
    """The option by which others find the server."""
    from roomcall.signaling.url import without_user

    url = calling.server.url
    return "" if url == DEFAULT_SERVER else f" --server {without_user(url)}"


def _judging(expect: "tuple[Expectation, ...]") -> "Judging | None":
    if not expect:
        return None
    from ..checking.judging import Judging

    return Judging(expect)


def _snapshots(folder: Path | None) -> "Snapshots | None":
    if folder is None:
        return None
    from ..snapshots import Snapshots

    return Snapshots(folder)


def _keys(media: Media) -> "Keys | None":
    """Where there is a live view, and somebody before it."""
    if not is_typed_on() or not sys.stderr.isatty() or is_quiet():
        return None
    from ..keys import Keys

    return Keys(media)


def _lines(keys: "Keys | None") -> Output:
    # rich loads only where people look
    from ..lines import Lines
    from ..table import Table

    lines = Lines((roomcall.Event,), Table(), keys.line if keys is not None else None)
    if keys is not None:
        keys.changed = lines.refresh
    return lines
