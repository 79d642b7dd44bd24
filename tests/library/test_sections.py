"""Sections of descriptions: read, left out where they are rejected, and put back."""

import pytest

from roomcall.peer import sections

SESSION = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {bundle}\r\n"
TRANSPORT = (
    "a=ice-ufrag:{who}\r\na=ice-pwd:{who}pwd\r\na=fingerprint:sha-256 {who}\r\na=setup:actpass\r\n"
)


def section(kind: str, mid: str, port: int = 9, who: str = "them", extra: str = "") -> str:
    return (
        f"m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
        + TRANSPORT.format(who=who)
        + f"a=mid:{mid}\r\na=sendrecv\r\n{extra}"
    )


def description(*texts: str, bundle: str = "0 1 2") -> str:
    return SESSION.format(bundle=bundle) + "".join(texts)


AUDIO, VIDEO, GONE = section("audio", "0"), section("video", "1"), section("video", "2", port=0)


def test_what_a_section_says() -> None:
    extra = "a=ssrc-group:FID 11 12\r\na=ssrc:11 cname:x\r\na=ssrc:12 cname:x\r\n"
    text = section("video", "1", extra=extra).replace("sendrecv", "sendonly")
    (found,) = sections.read(description(text))
    assert (found.kind, found.mid, found.direction) == ("video", "1", "sendonly")
    assert found.sends and not found.receives and not found.rejected
    assert (found.sources, found.repairs) == ({11, 12}, {12: 11})


def test_a_section_is_rejected_by_its_port_or_its_kind() -> None:
    shared = section("video", "3", port=0, extra="a=bundle-only\r\n")
    found = sections.read(description(AUDIO, VIDEO, GONE, shared, section("text", "4")))
    assert [each.rejected for each in found] == [False, False, True, False, True]


def test_lines_without_returns_are_read_too() -> None:
    found = sections.read(description(AUDIO, GONE).replace("\r\n", "\n"))
    assert [(each.mid, each.direction) for each in found] == [("0", "sendrecv"), ("2", "sendrecv")]


def test_rejected_sections_are_left_out_and_put_back_in_their_places() -> None:
    offer = description(AUDIO, GONE, VIDEO, bundle="0 1")
    assert sections.living(offer) == description(AUDIO, VIDEO, bundle="0 1")
    rejected = {i: each for i, each in enumerate(sections.read(offer)) if each.rejected}
    answer = sections.with_rejected(description(AUDIO, VIDEO, bundle="0 1"), rejected)
    assert [(each.mid, each.rejected) for each in sections.read(answer)] == [
        ("0", False),
        ("2", True),
        ("1", False),
    ]
    assert "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:2" in answer


def test_what_we_have_offered_and_they_have_rejected_stands_there_once() -> None:
    rejected = {1: sections.read(description(section("video", "1", port=0)))[0]}
    offer = sections.with_rejected(description(AUDIO, VIDEO, bundle="0 1"), rejected)
    assert [(each.mid, each.rejected) for each in sections.read(offer)] == [
        ("0", False),
        ("1", True),
    ]
    assert "a=group:BUNDLE 0\r\n" in offer


def test_a_rejected_section_of_an_answer_is_ours_but_inactive_and_on_their_transport() -> None:
    offer = description(section("audio", "0", who="us"), section("video", "1", who="us"))
    answer = description(section("audio", "0", port=0), section("video", "1"), bundle="1")
    found = sections.read(sections.accepted(answer, offer))
    assert [(each.mid, each.direction, each.rejected) for each in found] == [
        ("0", "inactive", False),
        ("1", "sendrecv", False),
    ]
    assert "a=fingerprint:sha-256 them" in found[0].text and "us" not in found[0].text
    with pytest.raises(ValueError, match="everything was rejected"):
        sections.accepted(description(section("audio", "0", port=0)), offer)


def test_directions_are_set_by_mid() -> None:
    sdp = sections.with_directions(description(AUDIO, VIDEO), {"1": "recvonly"})
    assert [each.direction for each in sections.read(sdp)] == ["sendrecv", "recvonly"]
