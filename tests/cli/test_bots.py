"""`roomcall echo` and `roomcall run`, as processes."""

from pathlib import Path
from typing import Any

import pytest

import roomcall

BOT = """
import roomcall

class Parrot(roomcall.Bot):
    async def on_chat_received(self, event):
        if not event.own:
            await self.call.chat(event.text)
"""


async def test_echo(start: Any, room_server: Any, peer: Any, tmp_path: Path) -> None:
    options = ("--server", room_server.url, "--json", "--bundle", "kept")
    run = await start("echo", "standup", *options)
    await run.event("joined")
    ann = await peer("standup", name="ann", video="testsrc", video_size=(320, 240), fps=15)
    first = await ann.wait_for(roomcall.FirstFrame, 15, name="echo", kind="video")
    assert (first.width, first.height) == (320, 240)
    await run.event("stats")
    assert await run.interrupted() == 0
    assert '"event": "stats"' in (tmp_path / "kept/events.jsonl").read_text()


@pytest.mark.parametrize("given", ["parrot.py", "parrot:Parrot"])
async def test_run(start: Any, room_server: Any, peer: Any, tmp_path: Path, given: str) -> None:
    (tmp_path / "parrot.py").write_text(BOT)
    run = await start("run", given, "standup", "--server", room_server.url, "--json")
    await run.event("joined")
    ann = await peer("standup", name="ann")
    await ann.chat("hello")
    await ann.wait_for(roomcall.ChatReceived, 15, name="parrot", text="hello")
    assert await run.interrupted() == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere.py", "there is no file nowhere.py"),
        ("empty.py", "empty.py has no bot, a class made on roomcall.Bot"),
        ("two.py", "two.py has 2 bots"),
        ("nowhere:Bot", "there is no module nowhere"),
        ("two:Third", "there is no Third in two"),
        ("two:roomcall", "two:roomcall is not made on roomcall.Bot"),
        ("two", "two is neither a .py file nor module:name"),
    ],
)
def test_what_is_no_bot(
    given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    from roomcall_cli.commands.run import _load

    (tmp_path / "empty.py").write_text("import roomcall\n")
    (tmp_path / "two.py").write_text(BOT + BOT.replace("Parrot", "Other"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", str(tmp_path), *__import__("sys").path])
    with pytest.raises(click.BadParameter) as raised:
        _load(given)
    assert said in str(raised.value)
