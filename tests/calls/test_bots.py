"""Bots: a method for each event."""

import asyncio
import inspect
import logging
from typing import Any

import pytest

import roomcall
from roomcall import bot as bot_module
from roomcall import events
from roomcall.bot import _handler_of

TIMEOUT = 15.0


def test_each_event_has_its_method() -> None:
    names = [
        _handler_of(value)
        for value in vars(events).values()
        if inspect.isclass(value) and issubclass(value, events.Event)
    ]
    assert {"on_member_joined", "on_chat_received", "on_track_added", "on_left"} <= set(names)
    assert all(name.replace("_", "").isalpha() and name.islower() for name in names)


async def test_events_errors_and_what_runs_beside(
    room_server: Any, peer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Listener(roomcall.Bot):
        def __init__(self) -> None:
            self.seen: list[str] = []
            self.joined = asyncio.Event()

        async def on_joined(self, event: roomcall.Joined) -> None:
            self.start(self.tick())
            self.joined.set()
            await asyncio.Event().wait()  # a handler may take its time

        async def tick(self) -> None:
            self.seen.append("tick")
            await asyncio.Event().wait()  # it is ended with the bot

        async def on_member_joined(self, event: roomcall.MemberJoined) -> None:
            raise RuntimeError(f"{event.name} is not welcome")

        async def on_chat_received(self, event: roomcall.ChatReceived) -> None:
            if not event.own:
                await self.call.chat(f"you said {event.text}")

        async def on_event(self, event: roomcall.Event) -> None:
            self.seen.append(event.event)

        async def on_left(self, event: roomcall.Left) -> None:
            self.seen.append(f"left: {event.reason}")

    listener = Listener()
    running = asyncio.create_task(listener.run("bots", server=room_server.url, name="listener"))
    await asyncio.wait_for(listener.joined.wait(), TIMEOUT)
    ann = await peer("bots", name="ann")
    await ann.wait_for(roomcall.PeerConnected, TIMEOUT)
    await ann.chat("hello")
    await ann.wait_for(roomcall.ChatReceived, TIMEOUT, name="listener", text="you said hello")
    await listener.call.leave()
    await running
    assert listener.seen[0] == "joined"
    assert {"tick", "member-joined", "chat", "left", "left: left"} <= set(listener.seen)
    (failure,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert failure.getMessage() == "Listener.on_member_joined has failed"
    caplog.clear()


async def test_handlers_are_bounded(
    room_server: Any, peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next event waits until one of them has ended."""
    monkeypatch.setattr(bot_module, "MAX_RUNNING", 2)

    class Slow(roomcall.Bot):
        def __init__(self) -> None:
            self.most = self.now = self.texts = 0
            self.full, self.go = asyncio.Event(), asyncio.Event()

        async def on_chat_received(self, event: roomcall.ChatReceived) -> None:
            self.now += 1
            self.texts += 1
            self.most = max(self.most, self.now)
            if self.now == 2:
                self.full.set()
            await self.go.wait()
            await asyncio.sleep(0)
            self.now -= 1
            if self.texts == 6:
                await self.call.leave()

    slow = Slow()
    ann = await peer("bots", name="ann")
    running = asyncio.create_task(slow.run("bots", server=room_server.url))
    await ann.wait_for(roomcall.PeerConnected, TIMEOUT)
    for number in range(6):
        await ann.chat(str(number))
    await slow.call.wait_for(roomcall.ChatReceived, TIMEOUT, text="5")
    await asyncio.wait_for(slow.full.wait(), TIMEOUT)
    assert slow.texts == 2
    slow.go.set()
    await asyncio.wait_for(running, TIMEOUT)
    assert (slow.texts, slow.most) == (6, 2)


async def test_a_recorder_is_a_bot(room_server: Any, peer: Any, tmp_path: Any) -> None:
    ann = await peer("bots", name="ann", video="none", audio="testsrc")
    recorder = roomcall.bots.Recorder(tmp_path)
    running = asyncio.create_task(recorder.run("bots", server=room_server.url))
    await ann.wait_for(roomcall.PeerConnected, TIMEOUT, name="recorder")
    async with asyncio.timeout(TIMEOUT):
        await recorder.call.wait_for(roomcall.RecordingChanged, state="started")
    await recorder.call.leave()
    await running
    assert (tmp_path / "ann.mkv").stat().st_size > 500
    with pytest.raises(roomcall.RecordingError, match="holds a recording already"):
        await roomcall.bots.Recorder(tmp_path).run("bots", server=room_server.url)
