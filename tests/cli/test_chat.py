"""`roomcall chat`: a member that only talks."""

import asyncio
import os
import pty
import re
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

import roomcall


@pytest.fixture
def talk(start: Any, room_server: Any) -> Any:
    """Starts `roomcall chat standup`."""

    async def talk(*options: object, **how: Any) -> Any:
        return await start("chat", "standup", "--server", room_server.url, *options, **how)

    return talk


async def test_lines_that_are_piped_in_are_said_in_order(talk: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    lines = [f"line {number}" for number in range(300)]  # more than the server takes in a second
    run = await talk("--name", "ci", "--json", stdin="\n".join(lines) + "\n")
    assert await run.ended() == 0
    assert run.errors == ""
    own = [event for event in run.events if event["event"] == "chat"]
    assert [event["text"] for event in own] == lines
    assert all(event["own"] and event["name"] == "ci" for event in own)
    assert run.events[0]["event"] == "joined"
    assert (run.events[-1]["event"], run.events[-1]["reason"]) == ("left", "left")
    heard = [await ann.wait_for(roomcall.ChatReceived, 5, text=line) for line in lines]
    assert [message.id for message in heard] == list(range(1, 301))


async def test_what_others_say_and_who_comes_and_goes(talk: Any, peer: Any) -> None:
    run = await talk("--json", "--duration", "30")
    await run.event("joined")
    ann = await peer("standup", name="ann")
    assert (await run.event("member-joined"))["name"] == "ann"
    await ann.chat("hello")
    said = await run.event("chat")
    assert (said["text"], said["peer"], said["name"], said["id"]) == ("hello", ann.id, "ann", 1)
    # Whoever calls is told that here is no media, and takes it for no failure.
    (chatting,) = ann.peers.values()
    async with asyncio.timeout(10):
        while chatting.state != "closed":  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.01)
    await ann.leave()
    kinds = [type(event) async for event in ann]
    assert not {roomcall.WarningIssued, roomcall.PeerFailed} & {*kinds}
    assert (await run.event("member-left"))["reason"] == "left"
    assert await run.interrupted() == 0
    assert run.events[-1]["reason"] == "interrupted"


async def test_it_begins_with_what_was_said_before(talk: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    for number in range(5):
        await ann.chat(str(number))
    run = await talk("--history", "3")
    assert await run.ended() == 0
    said = [line.split("ann: ")[1].strip() for line in run.lines if "ann: " in line]
    assert said == ["2", "3", "4"]


async def test_what_the_server_does_not_take_is_a_warning(talk: Any) -> None:
    run = await talk("--json", stdin="x" * 5000 + "\n\nfine\n")
    assert await run.ended() == 0
    assert [e["text"] for e in run.events if e["event"] == "chat"] == ["fine"]
    assert "payload-too-large" in run.errors and run.errors.count("\n") == 1


async def test_a_refusal_is_4_and_a_server_that_is_not_there_3(start: Any, talk: Any) -> None:
    run = await talk("--no-create")
    assert await run.ended() == 4
    assert "room-not-found" in run.errors and run.errors.count("\n") == 1
    run = await start("chat", "standup", "--server", "http://127.0.0.1:1")
    assert await run.ended() == 3


@pytest.fixture
async def one_core() -> AsyncIterator[None]:
    """Whoever is woken by a write goes on before the writer: the worst order is the usual one."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("runs at the mercy of the scheduler: this system does not bind to a core")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield
    os.sched_setaffinity(0, cores)


async def test_on_a_terminal_a_line_is_typed(talk: Any, peer: Any, one_core: None) -> None:
    ann = await peer("standup", name="ann")
    ours, theirs = pty.openpty()
    run = await talk("--name", "bob", "--json", stdin=theirs, environment={"TERM": "xterm"})
    os.close(theirs)
    try:
        await ann.wait_for(roomcall.MemberJoined, 20)
        os.write(ours, b"hello from a terminal\r")
        said = await ann.wait_for(roomcall.ChatReceived, 20)
        assert (said.name, said.text) == ("bob", "hello from a terminal")
        await ann.chat("hello back")
        await run.event("chat", text="hello back")
        os.write(ours, b"\x04")  # the end of the input, in the very moment of printing
        assert await run.ended() == 0
        # The prompt is nothing that was asked for.
        assert {event["event"] for event in run.events} == {"joined", "chat", "left"}
    finally:
        os.close(ours)


async def shown(terminal: int, text: str) -> str:
    """Waits until `text` is on the terminal; all that it has printed by then, but its colours."""
    readable = asyncio.Event()
    asyncio.get_running_loop().add_reader(terminal, readable.set)
    printed, screen = b"", ""
    try:
        async with asyncio.timeout(20):
            while text not in screen:
                await readable.wait()
                readable.clear()
                printed += os.read(terminal, 65536)
                screen = re.sub(r"\x1b\[[?\d;]*\w", "", printed.decode(errors="replace"))
    except TimeoutError:
        raise AssertionError(f"no {text!r} in {screen!r}") from None
    finally:
        asyncio.get_running_loop().remove_reader(terminal)
    return screen


async def test_on_a_terminal_all_is_shown_above_the_prompt(talk: Any, one_core: None) -> None:
    ours, theirs = pty.openpty()
    run = await talk("--name", "bob", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        await shown(ours, ">")
        for text in ("one", "x" * 5000, "two"):
            os.write(ours, text.encode() + b"\r")
        assert "bob: one" in (screen := await shown(ours, "bob: two"))
        assert "payload-too-large" in screen
        os.write(ours, b"\x03")  # the terminal is raw: a key, no signal
        assert await run.ended() == 0
    finally:
        os.close(ours)


async def test_a_terminal_that_goes_is_the_end(talk: Any, peer: Any) -> None:
    ann = await peer("standup", name="ann")
    ours, theirs = pty.openpty()
    run = await talk("--json", stdin=theirs)
    os.close(theirs)
    try:
        await ann.wait_for(roomcall.MemberJoined, 20)
        os.write(ours, b"there\r")
        await run.event("chat", text="there")
    finally:
        os.close(ours)
    assert await run.ended() == 0


async def test_what_is_no_text_is_said_as_far_as_it_is(talk: Any) -> None:
    run = await talk("--json", stdin=b"caf\xe9\nfine\n")
    assert await run.ended() == 0, run.errors
    said = [event["text"] for event in run.events if event["event"] == "chat"]
    assert said == ["caf\N{REPLACEMENT CHARACTER}", "fine"]


async def test_sigterm_ends_it_while_it_waits_for_a_line(talk: Any) -> None:
    read, write = os.pipe()
    run = await talk("--json", stdin=read)
    os.close(read)
    await run.event("joined")
    run.process.send_signal(signal.SIGTERM)
    assert await run.ended() == 0
    os.close(write)
    assert run.events[-1]["reason"] == "interrupted"
