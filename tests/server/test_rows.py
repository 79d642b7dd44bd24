"""Every message of the protocol on real sockets: the reply to it, and what the others hear of it.

Four stand ready: a host, two members, and one who is outside. What each field says is tested where
the subject is; here nothing may be missing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import jwt
import pytest

from roomcall.protocol import replies, requests

SECRET = "a secret of as many bytes as HS256 asks for"
WHO = ("host", "member", "other", "outsider")


def token(sub: str) -> str:
    return jwt.encode({"sub": sub, "exp": time.time() + 86_400}, SECRET, algorithm="HS256")


@dataclass(frozen=True)
class Row:
    """`reply` None: there is none. `heard`: what each other one gets, in this order."""

    type: str
    by: str
    reply: str | None
    heard: Mapping[str, list[str]] = field(default_factory=dict)
    payload: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    before: tuple["Row", ...] = ()


def about(who: str = "", **more: Any) -> dict[str, Any]:
    """The payload of a request about the room, and about one of the four."""
    return {"roomId": "$room", **({"memberId": f"${who}"} if who else {}), **more}


def signal(type: str, by: str, to: str, *more: str, before: tuple[Row, ...] = ()) -> Row:
    heard = {to: [type, *more], **{who: [*more] for who in WHO[:3] if who not in (to, by)}}
    fields = {"roomId": "$room", "to": f"${to}"}
    return Row(type, by, more[0] if more else None, heard, {"x": 1}, fields, before)


OFFER = signal("offer", "host", "member")
ANSWER = signal("answer", "member", "host", "room-state", before=(OFFER,))
BAN = Row("remove-member", "host", "member-left", payload=about("member", ban=True))
FULL = Row("update-room", "host", "room-updated", payload=about(maxParticipants=1))

ROWS = [
    Row("create-room", "outsider", "room-created", payload={"name": "another"}),
    Row(
        "join-room",
        "outsider",
        "room-joined",
        {who: ["member-joined"] for who in WHO[:3]},
        about(),
    ),
    Row("join-room", "outsider", "queued", payload=about(waitIfFull=True), before=(FULL,)),
    Row(
        "leave-room",
        "host",
        "room-left",
        {who: ["member-left", "host-changed"] for who in ("member", "other")},
        about(),
    ),
    Row("list-rooms", "outsider", "rooms-list"),
    Row("get-room", "outsider", "room-info", payload=about()),
    Row(
        "update-room",
        "host",
        "room-updated",
        {who: ["room-updated"] for who in ("member", "other")},
        about(locked=True),
    ),
    Row(
        "close-room",
        "host",
        "room-closed",
        {who: ["room-closed"] for who in ("member", "other")},
        about(),
    ),
    Row(
        "transfer-host",
        "host",
        "host-changed",
        {who: ["host-changed"] for who in ("member", "other")},
        about("member"),
    ),
    Row(
        "remove-member",
        "host",
        "member-left",
        {"member": ["removed"], "other": ["member-left"]},
        about("member", reason="noise"),
    ),
    Row("unban-member", "host", "member-unbanned", payload=about("member"), before=(BAN,)),
    Row(
        "mute-member",
        "host",
        "member-updated",
        {"member": ["member-updated", "muted"], "other": ["member-updated"]},
        about("member", kind="all"),
    ),
    Row(
        "set-media-state",
        "member",
        "member-updated",
        {who: ["member-updated"] for who in ("host", "other")},
        about(recording=True),
    ),
    OFFER,
    ANSWER,
    signal("ice-candidate", "other", "host"),
    signal("renegotiate", "member", "other"),
    signal("hangup", "host", "member", "room-state", before=(OFFER, ANSWER)),
    Row(
        "chat",
        "host",
        "chat",
        {who: ["chat"] for who in ("member", "other")},
        "hello",
        {"roomId": "$room"},
    ),
    Row("chat-history", "member", "chat-history", payload=about()),
    Row("get-ice-servers", "outsider", "ice-servers"),
    Row("refresh-token", "host", "token-refreshed", payload={"token": token("host")}),
    Row("ping", "outsider", "pong"),
]
# What no request brings: the greeting, and two that have tests of their own.
ELSEWHERE = {"client-id", "client-list", "error"}


def tags(union: Any) -> set[str]:
    return {str(message.__struct_config__.tag) for message in get_args(union)}


def test_no_row_is_missing() -> None:
    assert {row.type for row in ROWS} == tags(requests.AnyRequest)
    told = {type for row in ROWS for types in ([row.reply], *row.heard.values()) for type in types}
    assert told - {None} == tags(replies.AnyReply) - ELSEWHERE


@pytest.fixture
async def stage(connect_to: Any, serve: Any) -> Any:
    async with serve(jwt_secret=SECRET) as server:
        stage = {who: await connect_to(server.url, f"?token={token(who)}") for who in WHO}
        stage["room"] = await stage["host"].create("room")
        for who in ("member", "other"):
            await stage[who].join(stage["room"])
        await heard(stage)
        yield stage


async def heard(stage: Any) -> dict[str, list[dict[str, Any]]]:
    """What each of them has been told by now."""
    return {who: await stage[who].backlog() for who in WHO}


async def say(stage: Any, row: Row) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, str) and value.startswith("$"):
            return stage[value[1:]] if value == "$room" else stage[value[1:]].id
        return value

    await stage[row.by].say(row.type, filled(row.payload), requestId=7, **filled(dict(row.fields)))
    await stage[row.by].say("ping", requestId=8)  # it has been taken when this is answered
    own = []
    while (message := await stage[row.by].hear()).get("requestId") != 8:
        own.append(message)
    stage["own"] = own


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type}, {row.reply}")
async def test_a_row(stage: Any, row: Row) -> None:
    for step in row.before:
        await say(stage, step)
        await heard(stage)
    await say(stage, row)
    own, others = stage["own"], await heard(stage)
    assert [message["type"] for message in own] == ([row.reply] if row.reply else [])
    if row.reply != "room-state":  # a change, and no reply
        assert all(message["requestId"] == 7 for message in own)
    for who in WHO:
        assert [message["type"] for message in others[who]] == row.heard.get(who, [])
        assert not any("requestId" in message for message in others[who])


async def leave(host: Any, member: Any, room: str) -> None:
    await member.say("leave-room", {"roomId": room})


async def disconnect(host: Any, member: Any, room: str) -> None:
    await member.socket.close()


async def remove(host: Any, member: Any, room: str) -> None:
    await host.say("remove-member", {"roomId": room, "memberId": member.id})


REASONS = {"left": leave, "disconnected": disconnect, "removed": remove}


@pytest.mark.parametrize("reason", REASONS)
async def test_a_reason_of_a_leave(stage: Any, reason: str) -> None:
    await REASONS[reason](stage["host"], stage["member"], stage["room"])
    left = await stage["other"].hear("member-left")
    assert (left["memberId"], left["reason"]) == (stage["member"].id, reason)


def test_no_reason_is_missing() -> None:
    # The end of a room is told by `room-closed` alone: as a reason it is for what keeps a history.
    assert {*REASONS, "room-closed"} == {*get_args(replies.LeaveReason)}
