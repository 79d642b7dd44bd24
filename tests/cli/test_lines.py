"""How it looks: words, the table, and what a terminal gets that a file does not."""

import asyncio
import io
import os
import pty
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from roomcall import events
from roomcall_cli.options import IceServerURL
from roomcall_cli.table import Table
from roomcall_cli.wording import line_of, printable

COMMAND = Path(sys.executable).with_name("roomcall")
ANN = SimpleNamespace(id="a" * 36)
BOB = SimpleNamespace(id="b" * 36)


def made(event: type[events.Event], /, t: float = 1.0, **fields: Any) -> Any:
    return event(time=datetime(2026, 1, 1, tzinfo=UTC), t=t, **fields)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            made(
                events.PeerConnected,
                peer=BOB,
                name="bob",
                seconds=0.084,
                local="host",
                remote="relay",
                protocol="udp",
            ),
            "bob connected in 84 ms (host to relay, udp)",
        ),
        (
            made(
                events.FirstFrame,
                peer=BOB,
                name="bob",
                kind="video",
                seconds=0.31,
                width=640,
                height=360,
            ),
            "bob first picture 640×360 after 0.3 s",
        ),
        (
            made(
                events.MemberUpdated,
                peer=BOB,
                name="bob",
                audio_muted=True,
                video_muted=False,
                recording=True,
            ),
            "bob: records the room, sound muted",
        ),
        (
            made(
                events.MemberUpdated,
                peer=BOB,
                name="bob",
                audio_muted=False,
                video_muted=False,
                recording=False,
            ),
            "bob: neither muted nor recording",
        ),
        (
            made(events.FirstFrame, peer=BOB, name="", kind="audio", seconds=1.0),
            "bbbbbbbb first sound after 1.0 s",
        ),
        (
            made(events.PeerFailed, peer=BOB, name="bob", reason="no path"),
            "bob not connected: no path",
        ),
        (made(events.WarningIssued, message="no relay"), "warning: no relay"),
        (made(events.Left, reason="duration", seconds=5.0), "you left after 5 s (duration)"),
    ],
)
def test_events_in_words(event: events.Event, said: str) -> None:
    line = line_of(event)
    assert line is not None
    assert re.fullmatch(r"\d\d:\d\d:\d\d  " + re.escape(said), line.plain)


def test_statistics_are_no_line() -> None:
    assert line_of(made(events.StatsUpdated, peers={})) is None


def test_nothing_unprintable_is_printed() -> None:
    assert printable("a\x1b[2Jb\x9bc\u202ed\ne") == "a\ufffd[2Jb\ufffdc\ufffdd\ufffde"
    assert printable("Zoë 🎥 中文") == "Zoë 🎥 中文"


def stats(received: int, lost: int, size: int) -> dict[str, Any]:
    inbound = {
        "framesPerSecond": 24.6,
        "frameWidth": 640,
        "frameHeight": 360,
        "bytesReceived": size,
        "packetsReceived": received,
        "packetsLost": lost,
    }
    outbound = {"bytesSent": 2 * size}
    return {"roundTripTime": 0.0123, "video": {"inbound": inbound, "outbound": outbound}}


def rows(table: Table) -> list[list[str]]:
    screen = io.StringIO()
    Console(file=screen, width=80).print(table.render())
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    return [line.split() for line in lines]


def test_the_table_counts_since_the_last_statistics() -> None:
    table = Table()
    table.see(made(events.MemberJoined, peer=BOB, name="bob"), "me")
    assert rows(table)[1:] == [["bob", "connecting"]]
    connection = {"local": "host", "remote": "host", "protocol": "udp"}
    table.see(made(events.PeerConnected, peer=BOB, name="bob", seconds=0.05, **connection), "me")
    table.see(made(events.StatsUpdated, t=1.0, peers={BOB.id: stats(100, 0, 50_000)}), "me")
    table.see(made(events.StatsUpdated, t=3.0, peers={BOB.id: stats(190, 10, 150_000)}), "me")
    expected = "bob connected 50 ms 640×360 25 400k 10.0% 800k 12 ms"
    assert rows(table)[1:] == [expected.split()]
    late = {**stats(190, 10, 150_000), "latency": 0.1234}
    table.see(made(events.StatsUpdated, t=4.0, peers={BOB.id: late}), "me")
    assert rows(table)[0][-2:] == ["rtt", "delay"] and rows(table)[1][-2:] == ["123", "ms"]
    said = {"audio_muted": False, "video_muted": False, "recording": True}
    table.see(made(events.MemberUpdated, peer=BOB, name="bob", **said), "me")
    assert rows(table)[1][:3] == ["bob", "●", "connected"]
    table.see(made(events.PeerLeft, peer=BOB, name="bob", reason="left"), "me")
    assert rows(table)[1:] == [["bob", "left", "50", "ms"]]


def test_a_member_without_media_is_not_connecting_for_ever() -> None:
    table = Table()
    dora = SimpleNamespace(id="d" * 36, state="connecting")
    table.see(made(events.MemberJoined, peer=dora, name="dora"), "me")
    table.see(made(events.StatsUpdated, t=1.0, peers={dora.id: {}}), "me")
    assert rows(table)[1][:2] == ["dora", "connecting"]
    dora.state = "closed"
    table.see(made(events.StatsUpdated, t=2.0, peers={dora.id: {}}), "me")
    assert rows(table)[1][:3] == ["dora", "no", "media"]


def test_several_of_one_s_own_are_in_order() -> None:
    table = Table({ANN.id: "ann", BOB.id: "bob"})
    table.see(made(events.MemberJoined, peer=ANN, name="ann"), BOB.id)
    table.see(made(events.MemberJoined, peer=BOB, name="[red]bob"), ANN.id)
    assert [row[:3] for row in rows(table)] == [
        ["to", "from", "state"],
        ["ann", "[red]bob", "connecting"],
        ["bob", "ann", "connecting"],
    ]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("stun:a.example:3478", {"urls": "stun:a.example:3478"}),
        ("turns:a?transport=tcp", {"urls": "turns:a?transport=tcp"}),
        ("turn:me:s:e:c@a:1", {"urls": "turn:a:1", "username": "me", "credential": "s:e:c"}),
    ],
)
def test_ice_servers_as_people_write_them(url: str, server: dict[str, str]) -> None:
    assert IceServerURL().convert(url, None, None) == server


async def on_terminal(url: str, environment: dict[str, str], duration: str = "0.5") -> str:
    """What `join` shows where stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(COMMAND, "join", "standup", "--server", url, "--duration", duration),
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = asyncio.create_task(asyncio.to_thread(read_all, ours))
    async with asyncio.timeout(50):
        assert await process.wait() == 0
        return await shown


def read_all(descriptor: int) -> str:
    shown = b""
    try:
        while part := os.read(descriptor, 65536):
            shown += part
    except OSError:  # how the end of a terminal looks on Linux
        pass
    os.close(descriptor)
    return shown.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*3\dm")
CURSOR_UP = "\x1b[1A"


async def test_a_terminal_gets_colour_and_a_live_table(room_server: Any, peer: Any) -> None:
    await peer("standup", name="ann", video="testsrc")
    shown = await on_terminal(room_server.url, {}, "3")  # the statistics of a second or two
    assert CURSOR_UP in shown and COLOUR.search(shown)
    assert "ann" in shown and "640×360" in shown
    assert "640×360" in shown.split("you left")[1]  # the table stays
    assert "\x1b[?25h" in shown  # and so does the cursor
    assert "q leave" not in shown  # nobody can press a key


async def test_no_color_is_obeyed(room_server: Any, peer: Any) -> None:
    await peer("standup", name="ann")
    shown = await on_terminal(room_server.url, {"NO_COLOR": "1"})
    assert "ann" in shown
    assert not COLOUR.search(shown)
