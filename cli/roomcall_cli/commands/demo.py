"""`roomcall demo`"""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import click

import roomcall
import roomcall_server
from roomcall.errors import NoMediaPath

from ..following import beside, expect_peers, leave_after, leave_all, names, show, single_error
from ..options import SETTINGS, duration_option, json_option
from ..output import JsonLines, Output
from ..signals import signals

if TYPE_CHECKING:
    from roomcall import Call

ROOM = "demo"
TIMEOUT = 30.0  # seconds in which every pair has to be connected


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall demo
  roomcall demo --peers 2 --video cam.mp4
  roomcall demo --duration 10 --json""",
)
@click.option("--peers", type=click.IntRange(2, 50), default=3, metavar="N")
@click.option("--video", default="testsrc", metavar="SRC", help="What each of them sends.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the server; 0 is any.")
@duration_option("End after so many seconds.  [default: with Ctrl-C]")
@json_option
def command(peers: int, video: str, port: int, duration: float | None, json: bool) -> None:
    """Start a server and a room of peers that send a moving picture and sound to each other.

    Others can join meanwhile. It fails unless every pair connects.
    """

    async def run() -> None:
        async with roomcall_server.serve(host="127.0.0.1", port=port) as server:
            own_names: dict[str, str] = {}
            with JsonLines(several=True) if json else _lines(own_names) as output:
                with single_error():
                    await _hold(server.url, names(peers), video, duration, own_names, output)

    signals.run(run())


async def _hold(
    url: str,
    own: list[str],
    video: str,
    duration: float | None,
    own_names: dict[str, str],
    output: Output,
) -> None:
    """All join, connect, and stay. `own_names` is filled: whose client id is whose."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as shows:
        calls: list[Call] = []
        for name in own:
            joining = roomcall.join(ROOM, server=url, name=name, video=video, stats_interval=1)
            call = await stack.enter_async_context(joining)
            own_names[call.id] = name
            calls.append(call)
            shows.create_task(show(call, output))
        output.note(f"The room {ROOM!r} is open. Join it from a browser, or from another terminal:")
        output.note(f"  {url}/#/room/{ROOM}")
        output.note(f"  roomcall join {ROOM} --server {url} --video testsrc")
        async with beside(*([leave_after(duration, calls)] if duration else [])):
            with signals.answered_by(lambda: leave_all(calls, "interrupted")):
                await _connect(calls, own_names, output)
                await asyncio.gather(*(call.wait_for(roomcall.Left) for call in calls))


async def _connect(calls: "list[Call]", own_names: dict[str, str], output: Output) -> None:
    """Wait until every pair is connected; where one cannot be, all leave. Raises `NoMediaPath`."""

    async def connect(call: "Call") -> None:
        try:
            await expect_peers(call, len(calls) - 1, TIMEOUT)
        except NoMediaPath as error:
            raise NoMediaPath(error.peer, f"{own_names[call.id]} is {error}") from None

    try:
        await asyncio.gather(*map(connect, calls))
    except NoMediaPath:
        await leave_all(calls, "left")
        raise
    output.note("Every pair is connected.")


def _lines(own_names: dict[str, str]) -> Output:
    # rich loads only where people look
    from ..lines import Lines
    from ..table import Table

    # The table says the rest, and says it once for each pair.
    return Lines((roomcall.PeerFailed, roomcall.WarningIssued), Table(own_names))
