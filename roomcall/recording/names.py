"""Names of files for members. Pure."""

import unicodedata
from collections.abc import Iterable

_LONGEST = 100  # bytes of UTF-8: file systems take 255
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def safe_name(name: str) -> str:
    """A member's name as the stem of a file's name on any system; "member" where none is left."""
    text = unicodedata.normalize("NFC", name)
    kept = "".join(c if c.isalnum() or c in "-_. " else "_" for c in text)
    kept = kept.encode()[:_LONGEST].decode(errors="ignore").strip("-_. ")
    return f"_{kept}" if kept.lower() in _DEVICES else kept or "member"


def free_name(stem: str, suffix: str, taken: Iterable[str]) -> str:
    """`stem` with a number where its name is taken; systems differ in whether case matters."""
    lower = {name.casefold() for name in taken}
    number = 1
    while (name := f"{stem}{'' if number == 1 else f'-{number}'}{suffix}").casefold() in lower:
        number += 1
    return name
