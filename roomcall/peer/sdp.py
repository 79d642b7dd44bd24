"""What we read from descriptions and write into them, beside aiortc (RFC 8829, RFC 8839). Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CANDIDATES = re.compile(r"^a=(?:candidate:.*|end-of-candidates)\r?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class IceDescription:
    """ICE credentials and candidates (RFC 8839 section 5). `complete`: there will be no more."""

    ufrag: str
    password: str
    candidates: tuple[str, ...]
    complete: bool


def ice_of(sdp: str) -> IceDescription:
    """Of the first section that has them: everything is bundled. Raises `ValueError`."""
    ufrag = _first(r"ice-ufrag", sdp)
    password = _first(r"ice-pwd", sdp)
    if ufrag is None or password is None:
        raise ValueError("the description has no ICE credentials")
    found = re.findall(r"^a=candidate:(.*?)\r?$", sdp, re.MULTILINE)
    complete = re.search(r"^a=end-of-candidates\r?$", sdp, re.MULTILINE) is not None
    return IceDescription(ufrag, password, tuple(dict.fromkeys(found)), complete)


def ufrags(sdp: str) -> frozenset[str]:
    return frozenset(re.findall(r"^a=ice-ufrag:(\S+)", sdp, re.MULTILINE))


def lead(sdp: str) -> str | None:
    """The mid whose section stands for the transport of all (RFC 9143 section 7.1.2)."""
    found = re.search(r"^a=group:BUNDLE (\S+)", sdp, re.MULTILINE)
    return found[1] if found else None


def mids(sdp: str) -> frozenset[str | None]:
    """Of all sections; with None, the lead of a description without a bundle."""
    return frozenset([None, *re.findall(r"^a=mid:(\S+)", sdp, re.MULTILINE)])


def fingerprint(sdp: str) -> str | None:
    """Of the DTLS certificate. See RFC 8122 section 5."""
    found = _first("fingerprint", sdp)
    return found.lower() if found else None


def without_candidates(sdp: str) -> str:
    return _CANDIDATES.sub("", sdp)


def incomplete(sdp: str) -> str:
    """Further candidates will come (RFC 8838 section 4)."""
    return re.sub(r"^a=end-of-candidates\r?\n", "", sdp, flags=re.MULTILINE)


def restart_offer(
    sdp: str, ufrag: str, password: str, candidates: Sequence[str], *, complete: bool, version: int
) -> str:
    """Our last description as an offer with a new generation of ICE (RFC 8839 section 4.4.1.1).

    Payload types, extensions and sections stay as they were agreed; `version` is that of the
    session (RFC 8866 section 5.2), at least one above the last.
    """
    sdp = without_candidates(sdp)
    sdp = re.sub(r"^a=ice-ufrag:.*$", f"a=ice-ufrag:{ufrag}\r", sdp, flags=re.MULTILINE)
    sdp = re.sub(r"^a=ice-pwd:.*$", f"a=ice-pwd:{password}\r", sdp, flags=re.MULTILINE)
    sdp = re.sub(r"^a=setup:\w+", "a=setup:actpass", sdp, flags=re.MULTILINE)
    sdp = re.sub(
        r"^(o=\S+ \S+) (\d+)",
        lambda match: f"{match[1]} {max(version, int(match[2]) + 1)}",
        sdp,
        flags=re.MULTILINE,
    )
    lines = "".join(f"a=candidate:{candidate}\r\n" for candidate in candidates)
    if complete:
        lines += "a=end-of-candidates\r\n"
    return re.sub(r"^(a=mid:.*\n)", lambda match: match[1] + lines, sdp, count=1, flags=re.M)


def _first(attribute: str, sdp: str) -> str | None:
    found = re.search(rf"^a={attribute}:\s*(.*?)\s*$", sdp, re.MULTILINE)
    return found[1] if found else None
