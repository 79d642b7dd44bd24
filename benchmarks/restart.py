"""Does anybody notice that the server was killed? `make bench BENCH=restart`, or with less:
`make bench BENCH=restart ARGS="--times 3"`.

Four call each other with small pictures, over real ICE and DTLS on loopback; a fifth waits for a
place. The server, in a process of its own and with `--store sqlite:///FILE`, is killed (SIGKILL)
and started again 3 s later, at the same address and with the same file. Then everybody has to be
who they were, and nobody may have seen anybody leave.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

import roomcall
from roomcall.signaling.room import JoinOptions, RoomClient

from .breaks import PATIENCE, calls, now, server_process, watched

AWAY = 3.0  # seconds without a server
MEMBERS = 4
MOST_SECONDS, LONGEST_GAP = 3.0, 1.0
SEEN_LEAVING = (
    roomcall.MemberLeft,
    roomcall.MemberJoined,
    roomcall.PeerLeft,
    roomcall.PeerDisconnected,
    roomcall.PeerFailed,
)


@dataclass(frozen=True, slots=True)
class Round:
    """`starting`: from the start of the new process until it listened. `seconds`: from that start
    until all had resumed and seen the room. `gap`: the longest between two pictures, from the kill
    on. `kept` says of each thing whether it was."""

    starting: float
    seconds: float
    gap: float
    kept: dict[str, bool]


class Waiting:
    """Somebody in the queue, and the positions that it is told."""

    def __init__(self, server: str) -> None:
        self._client = RoomClient(server, "bench", JoinOptions("waiting", wait_if_full=True))
        self._positions: asyncio.Queue[int] = asyncio.Queue()
        self._client.on_queued = self._positions.put_nowait
        self._joining = asyncio.create_task(self._client.connect())

    async def position(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self._positions.get()

    async def entered(self) -> list[str]:
        """Who is in the room when it is."""
        async with asyncio.timeout(PATIENCE):
            await self._joining
        assert self._client.room is not None, "it has joined"
        return self._client.room.participants

    async def close(self) -> None:
        self._joining.cancel()
        await asyncio.gather(self._joining, return_exceptions=True)
        await self._client.close()


async def one_round(store: str) -> Round:
    async with AsyncExitStack() as stack:
        async with server_process(0, "--store", store) as (process, url):
            found = await stack.enter_async_context(
                calls(url, "bench", *[None] * MEMBERS, max_participants=MEMBERS)
            )
            watches = await stack.enter_async_context(watched(found))
            waiting = Waiting(url)
            stack.push_async_callback(waiting.close)
            first_position = await waiting.position()
            for number, call in enumerate(found, start=1):
                await call.chat(f"{number}")
            ids = [call.id for call in found]
            process.kill()
            killed = now()
        await asyncio.sleep(AWAY - (now() - killed))
        begun = now()
        port = url.rpartition(":")[2]
        await stack.enter_async_context(server_process(int(port), "--store", store))
        starting = now() - begun
        restored = [await c.wait_for(roomcall.SignalingRestored, PATIENCE) for c in found]
        seen = [(await c.wait_for(roomcall.RoomUpdated, PATIENCE)).room for c in found]
        seconds = now() - begun
        position = await waiting.position()
        await found[0].chat("after")
        said = [await c.wait_for(roomcall.ChatReceived, PATIENCE, text="after") for c in found]
        await asyncio.sleep(1)
        gap = max(watch.longest_gap(killed) for watch in watches)
        events = [await _so_far(call) for call in found]
        await found[-1].leave()
        inside = await waiting.entered()
        kept = {
            "resumed": all(event.resumed for event in restored),
            "ids": [call.id for call in found] == ids,
            "members and roles": all(
                (room.participants, room.host, room.state) == (ids, ids[0], "IN_CALL")
                for room in seen
            ),
            "queue": (first_position, position) == (1, 1)
            and inside[:-1] == ids[:-1]
            and all(room.queue_length == 1 for room in seen),
            "chat": await _history(found[0]) == [*"1234", "after"]
            and {event.id for event in said} == {MEMBERS + 1},
            "nobody saw a leave": not any(_saw_a_leave(of_one) for of_one in events),
        }
    return Round(starting, seconds, gap, kept)


async def _so_far(call: roomcall.Call) -> list[roomcall.Event]:
    found: list[roomcall.Event] = []
    async for event in call:
        found.append(event)
        if isinstance(event, roomcall.ChatReceived) and event.text == "after":
            break
    return found


def _saw_a_leave(events: Sequence[roomcall.Event]) -> bool:
    lost = [isinstance(event, roomcall.SignalingLost) for event in events].index(True)
    return any(isinstance(event, SEEN_LEAVING) for event in events[lost:])


async def _history(call: roomcall.Call) -> list[str]:
    signaling = call._signaling
    assert isinstance(signaling, RoomClient), "it has joined by a server"
    return [message.payload for message in await signaling.history(100)]


async def _run(times: int) -> list[Round]:
    rounds = []
    for _ in track(range(times), "restart", console=Console(stderr=True), transient=True):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(await one_round(f"sqlite:///{folder}/rooms.db"))
    return rounds


def report(rounds: Sequence[Round]) -> Table:
    table = Table(title="a server killed and back after 3 s", title_justify="left")
    table.add_column("")
    for column in ("median", "worst", "at most", "kept"):
        table.add_column(column, justify="right")
    for what, figures, most in (
        ("from its start until it listens", [r.starting for r in rounds], None),
        ("from its start until all have resumed", [r.seconds for r in rounds], MOST_SECONDS),
        ("longest gap between pictures", [r.gap for r in rounds], LONGEST_GAP),
    ):
        shown = (f"{figure:.3g} s" for figure in (statistics.median(figures), max(figures)))
        if most is None:
            table.add_row(what, *shown)
            continue
        held = sum(figure <= most for figure in figures)
        table.add_row(what, *shown, f"{most:g} s", f"{held} of {len(rounds)}")
    for what in rounds[0].kept:
        kept = sum(r.kept[what] for r in rounds)
        table.add_row(what, "", "", "", f"{kept} of {len(rounds)}")
    return table


@click.command(help=__doc__)
@click.option("--times", type=click.IntRange(min=1), default=100, show_default=True)
def main(times: int) -> None:
    rounds = asyncio.run(_run(times))
    Console(width=110).print(report(rounds))
    held = all(
        r.seconds <= MOST_SECONDS and r.gap <= LONGEST_GAP and all(r.kept.values()) for r in rounds
    )
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
