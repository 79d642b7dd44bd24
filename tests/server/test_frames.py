"""A frame, whatever is in it: what is echoed, what is passed over, what is refused."""

import json
from typing import Any

import pytest

NOWHERE = "00000000-0000-4000-8000-000000000000"


async def test_payload_bytes_are_untouched(connect: Any) -> None:
    a, b = await connect(), await connect()
    room = await a.create()
    await b.join(room)
    await a.hear("member-joined")
    payload = '{ "sdp" : "\\u00e9\\n",\t"n":1.50e+2, "n": 12345678901234567890123 }'
    await a.socket.send_str(
        f'{{"type":"offer","roomId":"{room}","to":"{b.id}","payload":{payload}}}'
    )
    frame = await b.socket.receive(5)
    assert payload in frame.data


async def test_request_id_is_echoed_by_reply_and_error(connect: Any) -> None:
    a = await connect()
    for id in ("", "x" * 128, 0, -1, 2**53):
        assert (await a.ask("ping", requestId=id))["requestId"] == id
        assert (await a.ask("leave-room", {"roomId": NOWHERE}, requestId=id))["requestId"] == id
        assert (await a.ask("zork", requestId=id))["requestId"] == id
    assert await a.ask("ping") == {"type": "pong"}
    assert await a.refused("ping", requestId="x" * 129) == "bad-request"
    assert await a.refused("ping", requestId=1.5) == "bad-request"


@pytest.mark.parametrize(
    ("frame", "code", "request_type"),
    [
        ("", "bad-json", None),
        ("{", "bad-json", None),
        ("zork", "bad-json", None),
        ('{"type": "ping"} {}', "bad-json", None),
        ('{"type": "chat", "roomId": 5, "payload": ', "bad-json", None),
        ('{"type": "zork", "x": }', "bad-json", None),
        ("[" * 30_000, "bad-json", None),
        ("[]", "bad-request", None),
        ("1", "bad-request", None),
        ("null", "bad-request", None),
        ("{}", "bad-request", None),
        ('{"type": 5}', "bad-request", None),
        ('{"type": null}', "bad-request", None),
        ('{"type": "zork"}', "unknown-type", "zork"),
        ('{"type": "client-id"}', "unknown-type", "client-id"),
        ('{"type": "zork", "requestId": []}', "bad-request", "zork"),
        ('{"type": "create-room"}', "bad-request", "create-room"),
        ('{"type": "create-room", "payload": {}}', "bad-request", "create-room"),
        ('{"type": "create-room", "payload": {"name": ""}}', "bad-request", "create-room"),
        ('{"type": "join-room", "payload": {}}', "bad-request", "join-room"),
        ('{"type": "offer", "to": "x", "payload": {}}', "bad-request", "offer"),
        ('{"type": "offer", "roomId": "x", "payload": {}}', "bad-request", "offer"),
        ('{"type": "offer", "roomId": "x", "to": "x"}', "bad-request", "offer"),
        ('{"type": "chat", "roomId": "x"}', "bad-request", "chat"),
    ],
)
async def test_what_is_wrong_gets_an_error_and_the_connection_stays(
    connect: Any, frame: str, code: str, request_type: str | None
) -> None:
    a = await connect()
    await a.socket.send_str(frame)
    error = await a.hear("error")
    assert (error["code"], error["request"]) == (code, request_type)
    assert error["message"]
    assert await a.types() == []


async def test_the_message_of_a_bad_request_names_the_field(connect: Any) -> None:
    a = await connect()
    for payload, field in [
        ({"name": "x" * 129}, "name"),
        ({"name": "x", "maxParticipants": -1}, "maxParticipants"),
        ({"name": "x", "maxParticipants": "2"}, "maxParticipants"),
        ({"name": "x", "metadata": {"description": "x" * 1025}}, "description"),
        ({"name": "x", "metadata": {"private": 1}}, "private"),
        ({"name": "x", "displayName": "x" * 129}, "displayName"),
    ]:
        error = await a.ask("create-room", payload)
        assert error["code"] == "bad-request"
        assert field in error["message"]


async def test_an_unknown_field_is_ignored(connect: Any) -> None:
    a = await connect()
    assert (await a.ask("ping", zork={"a": 1}))["type"] == "pong"
    await a.socket.send_str(json.dumps({"type": "create-room", "payload": {"name": "x", "y": 1}}))
    assert (await a.hear())["type"] == "room-created"


async def test_a_mistake_of_ours_is_an_internal_error_and_the_connection_stays(
    connect: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from roomcall.protocol import requests
    from roomcall_server.signaling import router

    async def broken(*args: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setitem(router.HANDLERS, requests.Chat, broken)
    a = await connect()
    error = await a.ask("chat", "x", roomId=NOWHERE, requestId=3)
    assert (error["code"], error["requestId"]) == ("internal", 3)
    assert "broken" in caplog.text
    assert await a.types() == []
