"""How deeply a frame is nested, so that nobody has to take what others cannot read. Pure.

A payload goes out as it came, to clients whose parsers may take fewer levels than ours.
"""

import re

MAX_DEPTH = 64

# See RFC 8259 section 7. One that does not end goes to the end: every text is passed once.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")


def too_deep(text: str) -> bool:
    """Has it more than `MAX_DEPTH` levels?"""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _NO_BRACKETS.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False
