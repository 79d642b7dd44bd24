"""What all commands share: options and where they come from, errors, signals, the end of a pipe."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from roomcall_cli.main import COMMANDS, command
from roomcall_cli.options import IceServerURL

DOWN = "http://127.0.0.1:9"  # the port "discard": nobody listens there


async def test_help_says_what_there_is(start: Any) -> None:
    run = await start("--help")
    assert await run.ended() == 0
    text = "".join(run.lines)
    assert all(f"  {name} " in text for name in COMMANDS)
    assert run.errors == ""


# What a command cannot do without.
NEEDED = {
    "report": [".", "-o", "check.html"],
    "join": ["room"],
    "chat": ["room"],
    "record": ["room", "-o", "out"],
    "compose": [".", "-o", "out.mp4"],
    "echo": ["room"],
    "run": ["bot.py", "room"],
    "room": ["show", "room"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_has_an_example(name: str) -> None:
    for option in ("-h", "--help"):
        result = CliRunner().invoke(command, [name, option])
        assert result.exit_code == 0
        assert f"roomcall {name}" in result.output.split("Example")[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_has_a_variable_without_the_command_s_name(name: str) -> None:
    context = click.Context(command, info_name="roomcall")
    sub = command.get_command(context, name)
    made = sub.make_context(name, NEEDED.get(name, []), parent=context)
    assert made.auto_envvar_prefix == "ROOMCALL"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["join", "room", "--colour", "red"], "--colour"),
        (["jon"], "join"),
        (["join"], "ROOM"),
        (["join", "room", "--size", "640"], "640x360"),
        (["join", "room", "--video-bitrate", "fast"], "500k"),
        (["join", "room", "--fps", "0"], "--fps"),
        (["join", "room", "--ice-server", "http://x"], "stun:"),
        (["join", "room", "--ca-file", "nowhere.pem"], "nowhere.pem"),
        (["join", "room", "--ca-file", __file__], "certificate"),
        (["join", "room", "--insecure", "--ca-file", __file__], "--insecure"),
        (["join", "room", "--video", "nowhere.mp4"], "nowhere.mp4"),
        (["join", "room", "--video", __file__], Path(__file__).name),
        (["serve", "--store", "nowhere"], "nowhere"),
        (["serve", "--turn-url", "turn:x"], "turn_secret"),
        (["demo", "--peers", "1"], "--peers"),
        (["-v", "-q", "rooms"], "--quiet"),
        (["rooms", "--server", "ftp://x"], "http://host:port"),
        (["chat", "room", "--server", "http://x:99999"], "port"),
        (["--config", "nowhere.toml", "rooms"], "nowhere.toml"),
    ],
)
async def test_wrong_use_is_one_line_and_2(start: Any, arguments: list[str], said: str) -> None:
    run = await start(*arguments)
    assert await run.ended() == 2
    assert_one_error(run, said)


def assert_one_error(run: Any, said: str) -> None:
    assert run.lines == []
    assert run.errors.startswith("Error: ") and run.errors.count("\n") == 1, run.errors
    assert " — " in run.errors
    assert said in run.errors


async def test_a_file_that_breaks_off_at_once_is_one_line_and_2(start: Any, tmp_path: Path) -> None:
    (tmp_path / "cam.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    run = await start("join", "room", "--server", DOWN, "--video", "cam.png")
    assert await run.ended() == 2
    assert_one_error(run, "cam.png")


@pytest.mark.parametrize("name", ["join", "rooms"])
async def test_a_server_that_is_down_is_3(start: Any, name: str) -> None:
    run = await start(name, *["room"] * (name in ("join", "chat")), "--server", DOWN)
    assert await run.ended() == 3
    assert_one_error(run, DOWN)


async def test_a_traceback_is_for_vv_only(start: Any) -> None:
    plain = await start("-v", "rooms", "--server", DOWN)
    verbose = await start("-vv", "rooms", "--server", DOWN)
    assert (await plain.ended(), await verbose.ended()) == (3, 3)
    assert "Traceback" not in plain.errors
    assert "Traceback" in verbose.errors
    assert verbose.errors.splitlines()[-1].startswith("Error: ")


async def test_option_environment_file_default_in_this_order(start: Any, tmp_path: Path) -> None:
    file = tmp_path / "roomcall.toml"
    of_user = tmp_path / ".config" / "roomcall" / "config.toml"
    elsewhere = tmp_path / "elsewhere.toml"

    async def server(*arguments: object, environment: dict[str, str] | None = None) -> str:
        run = await start(*arguments, environment=environment)
        assert await run.ended() == 3
        return run.errors

    assert "http://127.0.0.1:8080 " in await server("rooms")
    of_user.parent.mkdir(parents=True)
    of_user.write_text('[rooms]\nserver = "http://127.0.0.1:1"\n')
    assert "127.0.0.1:1 " in await server("rooms")
    file.write_text('[rooms]\nserver = "http://127.0.0.1:2"\n')
    assert "127.0.0.1:2 " in await server("rooms")
    elsewhere.write_text('[rooms]\nserver = "http://127.0.0.1:3"\n')
    assert "127.0.0.1:3 " in await server("--config", elsewhere, "rooms")
    variables = {"ROOMCALL_SERVER": "http://127.0.0.1:4"}
    assert "127.0.0.1:4 " in await server("rooms", environment=variables)
    option = ("--server", "http://127.0.0.1:5")
    assert "127.0.0.1:5 " in await server("rooms", *option, environment=variables)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[join", "not TOML"),
        ("[jion]\nname = 'ann'", "[jion]"),
        ("[join]\nnmae = 'ann'", "nmae"),
        ("colour = true", "colour"),
        ("[join]\nname = ['ann', 'bob']", "name"),
        ("[join]\nduration = 'long'", "--duration"),
        ("join = 'standup'", "join"),
    ],
)
def test_a_wrong_file_is_said(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "roomcall.toml"
    file.write_text(content)
    result = CliRunner().invoke(command, ["--config", str(file), "join", "room"])
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("stun:stun.example", {"urls": "stun:stun.example"}),
        (
            "turn:ann:se:cr@et@turn.example:3478?transport=tcp",
            {
                "urls": "turn:turn.example:3478?transport=tcp",
                "username": "ann",
                "credential": "se:cr@et",
            },
        ),
        (
            "turns:1790000000%3Aann:a+b/c=@turn.example",
            {
                "urls": "turns:turn.example",
                "username": "1790000000:ann",
                "credential": "a+b/c=",
            },
        ),
    ],
)
def test_an_ice_server_with_user_and_credential(url: str, server: dict[str, str]) -> None:
    assert IceServerURL().convert(url, None, None) == server


def test_keys_of_a_file_are_options_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "roomcall.toml"
    file.write_text('quiet = true\n[join]\nno-loop = true\nice-server = "stun:a"\nduration = 3\n')
    context = command.make_context("roomcall", ["--config", str(file), "join"])
    sub = command.get_command(context, "join")
    made = sub.make_context("join", ["room"], parent=context)
    assert context.params["quiet"] is True
    assert made.params["no_loop"] is True
    assert made.params["ice_server"] == ({"urls": "stun:a"},)
    assert made.params["duration"] == 3.0


async def test_a_signal_while_loading_ends_with_0(start: Any) -> None:
    # The socket accepts and never answers, so that the command hangs before it is in a room.
    connected = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()  # the request, and then its end
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for number in (signal.SIGINT, signal.SIGTERM):
            connected.clear()
            run = await start("join", "room", "--server", url)
            async with asyncio.timeout(20):
                await connected.wait()
            run.process.send_signal(number)
            assert await run.ended() == 0
            assert run.errors == ""
