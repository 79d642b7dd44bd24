"""The signaling server, and what is none."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

import roomcall_server
from roomcall.doctor import signaling
from roomcall.doctor.findings import Status


async def ask(url: str, **options: object) -> signaling.Answer:
    return await signaling.ask_server(signaling.Server(url, True, **options))


async def test_a_server_tells_what_it_can_and_offers() -> None:
    async with roomcall_server.serve(stun_urls=("stun:127.0.0.1:9",)) as server:
        answer = await ask(server.url)
    by_name = {finding.name: finding for finding in answer.findings}
    assert all(finding.status is Status.OK for finding in answer.findings), answer
    assert "rooms" in by_name["server"].values["features"]
    assert 0 < by_name["round trip"].values["seconds"] < signaling.TIMEOUT
    assert abs(by_name["its clock"].values["offset"]) < 2
    assert answer.ice_servers == [{"urls": ["stun:127.0.0.1:9"]}]


async def test_one_that_wants_a_token() -> None:
    secret = "a secret of more than thirty-two bytes"
    async with roomcall_server.serve(jwt_secret=secret) as server:
        (found,) = (await ask(server.url, token="nonsense")).findings
    assert found.status is Status.FAILED and "--token" in found.advice
    assert "nonsense" not in str(found)


async def test_one_that_is_not_there_fails_only_where_it_was_asked_for() -> None:
    url = f"http://ann:a-secret@127.0.0.1:{unused_port()}"
    (found,) = (await ask(url)).findings
    assert found.status is Status.FAILED and "roomcall serve" in found.advice
    assert "a-secret" not in str(found)
    answer = await signaling.ask_server(signaling.Server(url, asked_for=False))
    (found,) = answer.findings
    assert found.status is Status.SKIPPED and "not asked for" in found.figure


@pytest.mark.parametrize("url", ["ftp://ann:a-secret@rooms.example", "http://ann:a-secret@"])
async def test_an_address_that_is_none(url: str) -> None:
    (found,) = (await ask(url)).findings
    assert found.status is Status.FAILED and "http://" in found.advice
    assert "a-secret" not in str(found)


async def test_another_server() -> None:
    async with TestServer(web.Application()) as other:
        (found,) = (await ask(str(other.make_url("/")))).findings
    assert found.status is Status.FAILED and "404" in found.figure


async def test_another_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signaling, "PROTOCOL", 2)
    async with roomcall_server.serve() as server:
        found, *_ = (await ask(server.url)).findings
    assert found.status is Status.FAILED and "protocol 1" in found.figure


async def test_one_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signaling, "TIMEOUT", 0.2)

    async def say_nothing(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    app = web.Application()
    app.add_routes([web.get("/ws", say_nothing)])
    async with TestServer(app) as server:
        (found,) = (await ask(str(server.make_url("/")))).findings
    assert found.status is Status.FAILED and "does not answer within" in found.figure
