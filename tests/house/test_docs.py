"""The pages tell the truth: what is public is there, programs run, commands have these options."""

import asyncio
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

import roomcall
import roomcall.bots
import roomcall_server
from roomcall_cli.main import command

HOUSE = Path(__file__).parents[2]
DOCS = HOUSE / "docs"
COMMAND = Path(sys.executable).with_name("roomcall")
TIMEOUT = 90.0
# Runs a program of a page against the server of the test.
RUN = (
    "import runpy, sys; from roomcall import joining; program, server = sys.argv[1:];"
    "joining.join.__wrapped__.__kwdefaults__['server'] = server;"
    "runpy.run_path(program, run_name='__main__')"
)


class Block(NamedTuple):
    """Of code, fenced."""

    page: str
    kind: str
    title: str
    text: str


def blocks() -> Iterator[Block]:
    pages = [HOUSE / "README.md", *sorted(DOCS.rglob("*.md"))]
    fence = re.compile(r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
    for page in pages:
        for kind, title, text in fence.findall(page.read_text()):
            yield Block(page.name, kind, title, text)


BLOCKS = list(blocks())


def test_what_is_public_is_in_the_reference_and_nothing_else() -> None:
    said = [
        name
        for page in (DOCS / "api").glob("*.md")
        for name in re.findall(r"^::: (roomcall(?:_server)?\.\w+)$", page.read_text(), re.M)
    ]
    public = [
        f"{module.__name__}.{name}"
        for module in (roomcall, roomcall_server)
        for name in module.__all__
    ]
    assert sorted(said) == sorted(public)
    bots = re.search(
        r"roomcall\.bots\n.*\n +members: \[(.*)\]", (DOCS / "api/library.md").read_text()
    )
    assert bots is not None and bots[1].split(", ") == ["Recorder", "Echo"]
    assert sorted(bots[1].split(", ")) == roomcall.bots.__all__


def test_what_is_public_is_there() -> None:
    for module in (roomcall, roomcall_server):
        for name in module.__all__:
            assert getattr(module, name).__doc__, f"{name} says nothing of itself"


def test_every_page_is_in_the_site() -> None:
    listed = re.findall(r"[\w/]+\.md", (HOUSE / "mkdocs.yml").read_text())
    pages = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted(pages)


COMMANDS = sorted(
    {
        line.removeprefix("$ ")
        for block in BLOCKS
        if block.kind in ("console", "yaml")
        for line in re.findall(r"(?:^\$ |run: )(roomcall .*)$", block.text, re.MULTILINE)
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_have_these_options(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("monday", "failure"):
        (tmp_path / folder).mkdir()
    name, *arguments = shlex.split(line)[1:]
    with click.Context(command, info_name="roomcall") as context:
        found = command.get_command(context, name)
        assert found is not None, f"no command {name}"
        found.make_context(name, arguments, parent=context)


def test_python_is_python() -> None:
    for block in BLOCKS:
        if block.kind == "python" and "--8<--" not in block.text:
            compile(block.text, f"{block.page} {block.title}", "exec", dont_inherit=True)


@pytest.mark.long
async def test_programs_do_what_the_pages_say(
    room_server: Any, peer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them at once, in the room that they name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROOMCALL_SERVER", room_server.url)
    started = []
    try:
        for number, block in enumerate(BLOCKS):
            if block.kind != "python" or block.page == "README.md":
                continue
            path = tmp_path / (block.title or f"{block.page}-{number}.py")
            path.write_text(block.text)
            if "asyncio.run(" in block.text:
                program = [sys.executable, "-c", RUN, str(path), room_server.url]
            elif "roomcall.Bot)" in block.text:
                program = [str(COMMAND), "run", str(path), "standup"]
            else:
                continue
            process = await asyncio.create_subprocess_exec(
                *program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            started.append((block, process))
        names = {"greeter", "watcher", "parrot", "recorder", "echo"}
        ann = await peer("standup", name="ann", video="testsrc", video_size=(320, 240), fps=10)
        async with asyncio.timeout(TIMEOUT):
            here = set()
            async for event in ann:
                if isinstance(event, roomcall.MemberJoined):
                    here.add(event.name)
                if here >= names:
                    break
            await ann.chat("who")
            await ann.wait_for(roomcall.ChatReceived, name="parrot", text="WHO")
            await ann.wait_for(roomcall.FirstFrame, name="echo", kind="video")
            said = ""
            async for event in ann:
                if isinstance(event, roomcall.ChatReceived):
                    said += f"{event.name} says {event.text}\n"
                    if "watcher says ann: 320×240, " in said and "greeter says Here are" in said:
                        break
            for block, process in started:
                if block.page == "record.md":
                    output, _ = await process.communicate()
                    assert b" s of ann" in output, output.decode()
                    assert process.returncode == 0
        assert list((tmp_path / "monday").glob("ann*"))
    finally:
        for _, process in started:
            if process.returncode is None:
                process.kill()
            await process.communicate()
