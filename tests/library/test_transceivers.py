"""Descriptions that change, on a connection of ours: without a path, only what is agreed on."""

import asyncio
import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiortc import RTCPeerConnection

from roomcall.peer import internals, sections
from roomcall.peer.connection import Connection, ConnectionConfig, ConnectionListener

NOTHING = SimpleNamespace(sends=False, codec=None)  # in the place of a publication


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    """Of one who sends nothing."""
    listener = {name: lambda *given: None for name in ConnectionListener.__annotations__}
    listener["tap"] = lambda kind: internals.ReceiverTap()
    publications = {"audio": NOTHING, "video": NOTHING}
    made = Connection(
        ConnectionConfig(internals.IceSettings()),
        cast(Any, publications),
        ConnectionListener(**cast(Any, listener)),
    )
    before = asyncio.all_tasks()
    yield made
    await made.close()
    ending = asyncio.all_tasks() - before - {asyncio.current_task()}
    if ending:  # aiortc looked for a path, and hears with its next check that it is closed
        await asyncio.wait(ending, timeout=5)


@pytest.fixture
async def offer() -> str:
    """An audio and a video."""
    pc = RTCPeerConnection()
    for kind in ("audio", "video"):
        pc.addTransceiver(kind)
    made = (await pc.createOffer()).sdp
    await pc.close()
    return made


def split(sdp: str) -> list[str]:
    return re.split(r"^(?=m=)", sdp, flags=re.MULTILINE)


def joined(session: str, texts: list[str]) -> str:
    living = [each for each in sections.read(session + "".join(texts)) if not each.rejected]
    bundle = " ".join(each.mid for each in living)
    return re.sub(r"a=group:BUNDLE.*\r", f"a=group:BUNDLE {bundle}\r", session) + "".join(texts)


def with_mid(text: str, mid: str) -> str:
    return re.sub(r"^a=mid:.*\r$", f"a=mid:{mid}\r", text, flags=re.MULTILINE)


def rejected(text: str) -> str:
    return re.sub(r"^(m=\w+) \d+", r"\1 0", text)


def shape(sdp: str) -> list[tuple[str, bool]]:
    return [(each.mid, each.rejected) for each in sections.read(sdp)]


async def test_a_section_is_rejected_and_taken_up_as_often_as_a_page_likes(
    connection: Connection, offer: str
) -> None:
    session, audio, video = split(offer)
    for turn in range(20):
        living = with_mid(video, f"v{turn}")
        answer = await connection.answer(joined(session, [audio, living]))
        assert shape(answer["sdp"]) == [("0", False), (f"v{turn}", False)]
        answer = await connection.answer(joined(session, [audio, rejected(living)]))
        assert shape(answer["sdp"]) == [("0", False), (f"v{turn}", True)]
        assert "a=group:BUNDLE 0\r\n" in answer["sdp"]
    assert len(connection._pc.getTransceivers()) == 1


async def test_too_many_sections_are_rejected(connection: Connection, offer: str) -> None:
    session, audio, video = split(offer)
    many = [with_mid(video, f"v{number}") for number in range(100)]
    answer = await connection.answer(joined(session, [audio, *many]))
    said = [is_rejected for _, is_rejected in shape(answer["sdp"])]
    assert said == [False] * sections.MAX_SECTIONS + [True] * (101 - sections.MAX_SECTIONS)


async def test_the_first_section_may_go_as_well(connection: Connection, offer: str) -> None:
    session, audio, video = split(offer)
    await connection.answer(joined(session, [audio, video]))
    answer = await connection.answer(joined(session, [rejected(audio), video]))
    assert shape(answer["sdp"]) == [("0", True), ("1", False)]
    reoffer = await connection.restart_offer()
    assert shape(reoffer["sdp"]) == [("0", True), ("1", False)]
    sound = with_mid(audio, "2")
    answer = await connection.answer(joined(session, [sound, video]))
    assert shape(answer["sdp"]) == [("2", False), ("1", False)]
