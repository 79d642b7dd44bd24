"""`/api`, and what else is asked by HTTP."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

import roomcall_server
from benchmarks.faults import certificate
from roomcall_server.http.api.description import ENDPOINTS
from roomcall_server.http.forwarded import client_address

ADMIN = {"Authorization": "Bearer the admin's word"}
SECRET = "a secret of as many bytes as the longest of the algorithms demands"


class Asking:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.headers: Any = {}

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: Any = ADMIN
    ) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        request = self._session.request(method, self._url + path, data=data, headers=headers)
        async with request as response:
            text = await response.text()
            self.headers = response.headers
            return response.status, json.loads(text) if text[:1] == "{" else text


@pytest.fixture
async def asking(serve: Any) -> AsyncIterator[Any]:
    async with aiohttp.ClientSession() as session:

        async def asking(server: Any) -> Asking:
            return Asking(session, server.url)

        yield asking


@pytest.fixture
async def server(serve: Any) -> AsyncIterator[Any]:
    async with serve(
        admin_token="the admin's word",
        allow_origins=["https://app.example"],
        trust_proxies=["127.0.0.0/8"],
        max_per_address=50,
    ) as server:
        yield server


@pytest.fixture
async def ask(server: Any, asking: Any) -> Asking:
    made: Asking = await asking(server)
    return made


async def test_a_room_from_its_making_to_its_end(ask: Asking, connect: Any) -> None:
    private = {"name": "board", "metadata": {"private": True}, "password": "sesame"}
    status, room = await ask("POST", "/api/rooms", private)
    assert (status, room["state"], room["hasPassword"]) == (201, "EMPTY", True)
    path = f"/api/rooms/{room['id']}"
    assert await ask("GET", "/api/rooms") == (200, {"rooms": [], "next": None})
    _, named = await ask("GET", "/api/rooms?name=board")
    assert [row["id"] for row in named["rooms"]] == [room["id"]]
    ann = await connect()
    await ann.join(room["id"], password="sesame")
    status, changed = await ask("PATCH", path, {"locked": True, "password": None})
    assert (status, changed["locked"], changed["hasPassword"]) == (200, True, False)
    assert (await ann.hear("room-updated"))["room"]["locked"]
    assert (await ask("GET", path))[1]["participants"] == [ann.id]
    outside = (await ask("GET", path, headers={}))[1]
    assert (outside["participants"], outside["host"], outside["members"]) == ([], None, [])
    assert await ask("DELETE", path) == (204, "")
    await ann.hear("room-closed")
    assert (await ask("GET", path))[0] == 404


async def test_members_are_muted_and_shown_out(ask: Asking, connect: Any) -> None:
    ann, bob = await connect(), await connect()
    room = await ann.create("standup")
    await bob.join(room)
    await ann.hear("member-joined")
    path = f"/api/rooms/{room}/members/{bob.id}"
    status, member = await ask("POST", path + "/mute", {"kind": "audio"})
    assert (status, member["audioMuted"], member["videoMuted"]) == (200, True, False)
    assert await ann.types() == ["member-updated"]
    assert await bob.types() == ["member-updated", "muted"]
    assert await ask("DELETE", path + "?ban=true&reason=noise") == (204, "")
    assert (await bob.hear("removed"))["reason"] == "noise"
    assert (await ann.hear("member-left"))["reason"] == "removed"
    assert await bob.refused("join-room", {"roomId": room}) == "banned"
    status, error = await ask("DELETE", path)
    assert (status, error["code"]) == (404, "peer-not-found")


async def test_who_is_not_the_admin(ask: Asking, serve: Any, asking: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer wörd"}, {"Authorization": "Basic eA=="}):
        for method, path in (
            ("POST", "/api/rooms"),
            ("GET", "/api/rooms?name=x"),
            ("GET", "/api/analytics"),
        ):
            status, error = await ask(method, path, headers=headers)
            assert (status, error["code"]) == (401, "unauthorized")
            assert ask.headers["WWW-Authenticate"] == "Bearer"
    async with serve() as open_server:
        nobody = await asking(open_server)
        for method, path in (("POST", "/api/rooms"), ("GET", "/api/rooms?name=x")):
            status, error = await nobody(method, path)
            assert (status, error["code"]) == (403, "forbidden")


async def test_where_a_token_is_demanded(serve: Any, asking: Any) -> None:
    async with serve(jwt_secret=SECRET, admin_token="the admin's word") as server:
        ask = await asking(server)
        rooms = [(await ask("POST", "/api/rooms", {"name": name}))[1]["id"] for name in "ab"]

        def bearer(**claims: Any) -> dict[str, str]:
            token = jwt.encode({"sub": "ann", "exp": 2**40, **claims}, SECRET, algorithm="HS256")
            return {"Authorization": f"Bearer {token}"}

        async def seen(headers: dict[str, str]) -> list[str]:
            return [
                row["name"] for row in (await ask("GET", "/api/rooms", None, headers))[1]["rooms"]
            ]

        assert await seen(ADMIN) == await seen(bearer()) == ["a", "b"]
        assert await seen(bearer(room="b")) == ["b"]
        shown = [await ask("GET", f"/api/rooms/{id}", None, bearer(room="b")) for id in rooms]
        assert [status for status, _ in shown] == [404, 200]
        assert (await ask("GET", "/api/rooms", None, {}))[0] == 401
        assert (await ask("GET", f"/api/rooms/{rooms[0]}", None, {}))[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/rooms", {}, 400, "bad-request"),
        ("POST", "/api/rooms", {"name": ""}, 400, "bad-request"),
        ("POST", "/api/rooms", {"name": "x" * 70_000}, 413, "payload-too-large"),
        ("POST", "/api/rooms", None, 400, "bad-json"),
        ("GET", "/api/rooms?limit=0", None, 400, "bad-request"),
        ("GET", "/api/rooms?after=yesterday", None, 400, "bad-request"),
        ("GET", "/api/rooms/zork", None, 404, "room-not-found"),
        ("PATCH", "/api/rooms/zork", {}, 404, "room-not-found"),
        ("GET", "/api/zork", None, 404, "not-found"),
        ("PUT", "/api/rooms", {}, 405, "method-not-allowed"),
    ],
)
async def test_what_cannot_be(
    ask: Asking, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer, error = await ask(method, path, body)
    assert (answer, error["code"], set(error)) == (status, code, {"code", "message"})


async def test_a_name_that_is_taken(ask: Asking) -> None:
    assert (await ask("POST", "/api/rooms", {"name": "x"}))[0] == 201
    status, error = await ask("POST", "/api/rooms", {"name": "x"})
    assert (status, error["code"]) == (409, "name-taken")


async def test_pages_of_other_sites(ask: Asking) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Origin": "https://app.example"}
    assert (await ask("OPTIONS", "/api/rooms", None, asked))[0] == 204
    assert ask.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Authorization" in ask.headers["Access-Control-Allow-Headers"]
    await ask("GET", "/api/zork", None, {"Origin": "https://app.example"})
    assert ask.headers["Access-Control-Allow-Origin"] == "https://app.example"
    await ask("GET", "/api/rooms", None, {"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in ask.headers


async def test_it_is_described(ask: Asking) -> None:
    _, described = await ask("GET", "/api/openapi.json", headers={})
    text = json.dumps(described)
    for endpoint in ENDPOINTS:
        operation = described["paths"][endpoint.path][endpoint.method.lower()]
        assert bool(operation.get("requestBody")) == bool(endpoint.body)
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in described["components"]["schemas"]


async def test_metrics(ask: Asking, connect: Any) -> None:
    ann, bob, cem = await connect(), await connect(), await connect()
    room = await ann.create("standup", maxParticipants=2)
    await bob.join(room)
    assert (await cem.ask("join-room", {"roomId": room, "waitIfFull": True}))["type"] == "queued"
    await cem.refused("chat", roomId="zork", payload="x")
    _, text = await ask("GET", "/metrics", headers={})
    for line in (
        "roomcall_rooms 1.0",
        "roomcall_clients 3.0",
        "roomcall_connections 3.0",
        "roomcall_room_queue_clients 1.0",
        "roomcall_joins_total 2.0",
        'roomcall_messages_received_total{type="join-room"} 2.0',
        'roomcall_messages_sent_total{type="member-joined"} 1.0',
        'roomcall_errors_total{code="room-not-found"} 1.0',
        "roomcall_message_seconds_count 4.0",
    ):
        assert line in text.splitlines(), text


async def test_each_request_is_logged_without_its_query(
    ask: Asking, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    name = {"X-Request-Id": "abc", "X-Forwarded-For": "192.0.2.9"}
    await ask("GET", "/api/rooms?query=hush&token=hush%0Ahush", None, name)
    assert ask.headers["X-Request-Id"] == "abc"
    (line,) = (r.getMessage() for r in caplog.records if r.name == "roomcall_server.requests")
    for part in ("GET", "/api/rooms", "200", "request=abc", "192.0.2.9"):
        assert part in line
    await ask("GET", "/%0Azork", None, {"X-Request-Id": "a b"})
    assert ask.headers["X-Request-Id"] != "a b"
    wire = await connect(headers={"X-Request-Id": "of-a-socket"})
    assert any(
        "client connected" in r.getMessage() and "of-a-socket" in r.getMessage()
        for r in caplog.records
    )
    assert wire.id
    assert "hush" not in caplog.text and "\nzork" not in caplog.text


async def test_tls(serve: Any, tmp_path: Path) -> None:
    file = str(certificate(tmp_path / "server.pem"))
    async with serve(tls_cert=file, tls_key=file) as server, aiohttp.ClientSession() as session:
        trusting = ssl.create_default_context(cafile=file)
        trusting.check_hostname = False
        async with session.get(server.url + "/healthz", ssl=trusting) as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
        async with session.ws_connect(server.url + "/ws", ssl=trusting) as socket:
            assert (await socket.receive_json())["type"] == "client-id"
            await socket.send_json({"type": "ping"})
            assert await socket.receive_json() == {"type": "pong"}
    (tmp_path / "none.pem").write_text("zork")
    with pytest.raises(roomcall_server.StartError, match=r"none\.pem"):
        async with serve(tls_cert=str(tmp_path / "none.pem"), tls_key=file):
            pass
    for wrong in ({"tls_cert": file}, {"trust_proxies": ["zork"]}):
        with pytest.raises(roomcall_server.ConfigError, match=next(iter(wrong))):
            async with serve(**wrong):
                pass


def test_whose_request_it_is() -> None:
    from ipaddress import ip_network

    trusted = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    for peer, forwarded, expected in (
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, zork"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("::1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1:99"], "198.51.100.1"),
        ("", ["198.51.100.1"], ""),
    ):
        assert client_address(peer, forwarded, trusted) == expected
