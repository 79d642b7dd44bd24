"""The sections of a description (RFC 8866 section 5.14), of which aiortc can reject none. Pure.

Rule 1.  A section is rejected by port 0 (RFC 8829 section 5.3.1), unless that only says that it
         shares the transport of others (`bundle-only`, RFC 9143). Those of kinds that we do not
         know we reject ourselves, and all beyond `MAX_SECTIONS`.
Rule 2.  Of offers aiortc sees the sections that live. The others are put back into what it answers,
         each in its place.
Rule 3.  An answer has to have what aiortc has offered: a rejected section stands there as inactive.
Rule 4.  A section that was rejected may be taken up again for something else, with another mid.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

KINDS = ("audio", "video", "application")
MAX_SECTIONS = 32
_TRANSPORT = re.compile(r"^a=(?:ice-ufrag|ice-pwd|fingerprint|setup):.*\n", re.MULTILINE)
_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """`text` is all of it. `repairs`: the SSRC of a stream by that of its retransmissions
    (RFC 5576 section 4.2)."""

    kind: str
    mid: str
    direction: str
    rejected: bool
    sources: frozenset[int]
    repairs: Mapping[int, int]
    text: str

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


def read(sdp: str) -> list[Section]:
    found = [_section(text) for text in _split(sdp)[1:]]
    return found[:MAX_SECTIONS] + [replace(each, rejected=True) for each in found[MAX_SECTIONS:]]


def living(sdp: str) -> str:
    """Without the sections that are rejected."""
    session = _split(sdp)[0]
    return "".join([session, *(each.text for each in read(sdp) if not each.rejected)])


def with_rejected(sdp: str, rejected: Mapping[int, Section]) -> str:
    """With them in their places, and not elsewhere nor in the bundle."""
    session, *texts = _split(sdp)
    mids = {section.mid for section in rejected.values()}
    texts = [text for text in texts if _section(text).mid not in mids]
    for place in sorted(rejected):
        section = rejected[place]
        protocol, formats = section.text.split("\r\n")[0].split(" ", 3)[2:]
        texts.insert(
            place,
            f"m={section.kind} 0 {protocol} {formats}\r\nc=IN IP4 0.0.0.0\r\n"
            f"a=inactive\r\na=mid:{section.mid}\r\n",
        )
    session = re.sub(
        r"^(a=group:BUNDLE)( .*?)(\r?)$",
        lambda match: (
            " ".join([match[1], *(m for m in match[2].split() if m not in mids)]) + match[3]
        ),
        session,
        flags=re.MULTILINE,
    )
    return "".join([session, *texts])


def accepted(answer: str, offer: str) -> str:
    """An answer whose rejected sections are those of the offer, inactive. Raises `ValueError` where
    it has no other."""
    session, *texts = _split(answer)
    offered = _split(offer)[1:]
    transport = next(
        (_TRANSPORT.findall(text) for text in texts if not _section(text).rejected), None
    )
    if transport is None:
        raise ValueError("everything was rejected")
    for place, (text, own) in enumerate(zip(texts, offered, strict=False)):
        if _section(text).rejected:
            own = _DIRECTION.sub("a=inactive\r", _TRANSPORT.sub("", own))
            texts[place] = own + "".join(transport)
    return "".join([session, *texts])


def with_directions(sdp: str, directions: Mapping[str, str]) -> str:
    """With the direction of each mid that is named."""
    session, *texts = _split(sdp)
    for place, text in enumerate(texts):
        direction = directions.get(_section(text).mid)
        if direction is not None:
            texts[place] = _DIRECTION.sub(f"a={direction}\r", text)
    return "".join([session, *texts])


def _split(sdp: str) -> Sequence[str]:
    """What stands before the sections, and each of them; lines end as RFC 8866 has it."""
    return re.split(r"^(?=m=)", re.sub(r"\r?\n", "\r\n", sdp), flags=re.MULTILINE)


def _section(text: str) -> Section:
    kind, port = re.match(r"m=(\S*) ?(\d*)", text).groups()  # type: ignore[union-attr]
    mid = re.search(r"^a=mid:(\S+)", text, re.MULTILINE)
    direction = _DIRECTION.search(text)
    pairs = re.findall(r"^a=ssrc-group:FID (\d+) (\d+)", text, re.MULTILINE)
    bundled = re.search(r"^a=bundle-only", text, re.MULTILINE) is not None
    return Section(
        kind,
        mid[1] if mid else "",
        direction[1] if direction else "sendrecv",
        (port == "0" and not bundled) or kind not in KINDS,
        frozenset(int(source) for source in re.findall(r"^a=ssrc:(\d+)", text, re.MULTILINE)),
        {int(repair): int(source) for source, repair in pairs},
        text,
    )
