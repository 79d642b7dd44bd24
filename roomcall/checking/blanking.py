"""Takes secrets out of what is kept. Pure.

Rule 1. ICE passwords, in SDP as in candidates, and the user names that belong to them.
Rule 2. The values of what is called password, credential, secret or token; what stands between
        `//` or `turn:` and `@`, or after the name of a token in an address.
Rule 3. Secrets that are known: wherever they stand, also as they are written in JSON and addresses.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

BLANK = "…"

_PATTERNS = (
    (re.compile(r"(a=ice-(?:pwd|ufrag):)[^\s\\\"]+"), rf"\1{BLANK}"),
    (re.compile(r"(\bufrag )[^\s\\\"]+"), rf"\1{BLANK}"),
    (
        re.compile(
            r"""((?:password|credential|secret|token|pwd|usernameFragment)["']?\s*[:=]\s*["'])[^"']+""",
            re.IGNORECASE,
        ),
        rf"\1{BLANK}",
    ),
    (re.compile(r"((?:\w+://|\bturns?:))[^\s/@\"']+@"), rf"\1{BLANK}@"),
    (re.compile(r"([?&](?:access_)?token=)[^\s&\"']+"), rf"\1{BLANK}"),
)


class Blanking:
    """Knows the secrets of a run."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        known = {secret for secret in secrets if secret}
        written = {json.dumps(secret)[1:-1] for secret in known}
        quoted = {quote(secret, safe="") for secret in known}
        # The longest first: one may be a part of another.
        self._known = sorted(known | written | quoted, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, BLANK)
        for pattern, blanked in _PATTERNS:
            text = pattern.sub(blanked, text)
        return text
