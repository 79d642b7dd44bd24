"""`roomcall serve`"""

import asyncio
import json
import signal
import sys
from typing import Any

import aiohttp
import pytest


async def test_it_says_where_it_listens_and_serves_there(start: Any) -> None:
    run = await start("serve", "--port", "0", "--json", "--max-message-bytes", "2048")
    listening = await run.event("listening")
    assert set(listening) == {"event", "url", "port"}
    assert listening["url"] == f"http://127.0.0.1:{listening['port']}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(listening["url"] + "/ws") as socket,
    ):
        hello = await socket.receive_json(timeout=20)
        assert hello["type"] == "client-id"
        assert hello["limits"]["maxMessageBytes"] == 2048
        run.process.send_signal(signal.SIGINT)
        assert (await socket.receive(timeout=20)).data == aiohttp.WSCloseCode.GOING_AWAY
    assert await run.ended() == 0
    assert run.errors == ""


async def test_for_people_it_is_a_line(start: Any) -> None:
    run = await start("serve", "--port", "0")
    assert (await run.line()).startswith("Listening at http://127.0.0.1:")
    run.process.send_signal(signal.SIGTERM)
    assert await run.ended() == 0
    assert "the page" in run.errors


async def test_a_port_in_use_is_2(start: Any) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        run = await start("serve", "--port", port)
        assert await run.ended() == 2
    assert run.errors.startswith("Error: ") and str(port) in run.errors
    assert run.errors.count("\n") == 1


async def test_turn_from_the_environment_is_offered_and_its_secret_kept(start: Any) -> None:
    secret = {"ROOMCALL_TURN_SECRET": "hush-hush", "ROOMCALL_TURN_URL": "turn:a turn:b"}
    run = await start("-vv", "serve", "--port", "0", "--json", environment=secret)
    url = (await run.event("listening"))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url + "/ws") as socket:
        hello = await socket.receive_json(timeout=20)
    offered = [url for server in hello["iceServers"] for url in server["urls"]]
    assert offered == ["turn:a", "turn:b"]
    assert await run.interrupted() == 0
    assert "Warning: " in run.errors
    assert "hush-hush" not in run.errors + json.dumps(run.events) + json.dumps(hello)


async def test_what_is_switched_on_and_off(start: Any) -> None:
    run = await start("serve", "--port", "0", "--json", "--direct-mode", "--resume-grace", "0")
    url = (await run.event("listening"))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url + "/ws") as socket:
        features = (await socket.receive_json(timeout=20))["features"]
    assert "direct" in features and "resume" not in features
    assert await run.interrupted() == 0


async def test_a_secret_demands_tokens(start: Any) -> None:
    secret = {"ROOMCALL_JWT_SECRET": "hush-hush, hush-hush and hush-hush"}
    run = await start("-vv", "serve", "--port", "0", "--json", environment=secret)
    url = (await run.event("listening"))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url + "/ws") as socket:
        assert (await socket.receive(timeout=20)).data == 4001
    assert await run.interrupted() == 0
    assert "hush-hush" not in run.errors + json.dumps(run.events)


@pytest.mark.parametrize("option", ["--max-clients", "--max-rooms", "--port"])
async def test_a_negative_limit_is_2(start: Any, option: str) -> None:
    run = await start("serve", option, "-1")
    assert await run.ended() == 2
    assert option in run.errors


async def test_a_log_for_machines(start: Any) -> None:
    run = await start("-v", "serve", "--port", "0", "--json", "--log-format", "json")
    url = (await run.event("listening"))["url"]
    async with aiohttp.ClientSession() as session, session.get(url + "/healthz?a=b"):
        pass
    assert await run.interrupted() == 0
    lines = [json.loads(line) for line in run.errors.splitlines()]
    (answered,) = (line for line in lines if line["event"] == "answered")
    assert (answered["path"], answered["status"], answered["level"]) == ("/healthz", 200, "info")


HURRIED = """
import asyncio
from roomcall_cli.signals import Interrupted, signals

async def main():
    try:
        print("runs", flush=True)
        await asyncio.Event().wait()
    finally:
        print("ends", flush=True)
        await asyncio.Event().wait()

with signals:
    try:
        signals.run(main(), hurried=True)
    except Interrupted:
        print("ended", flush=True)
"""


async def test_a_second_sigterm_hurries_the_end() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HURRIED, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(25):
        for line in (b"runs\n", b"ends\n"):
            assert await process.stdout.readline() == line
            process.send_signal(signal.SIGTERM)
        assert await process.stdout.readline() == b"ended\n"
        assert await process.wait() == 0
