"""`docs/protocol.md` says of every message what its type says, and leaves nothing out."""

import re
from typing import Any, get_args

from docs import reference
from roomcall.protocol import replies, requests
from roomcall.protocol.errors import CloseCode, ErrorCode

TEXT = reference.PAGE.read_text()


def column(heading: str, first: str) -> list[str]:
    """What stands in the first column of the table that begins with `first`."""
    table = TEXT.split(f"\n## {heading}\n")[1].split(f"| {first} |")[1].split("\n\n")[0]
    return re.findall(r"^\| `?(\w[\w-]*)`? \|", table, flags=re.M)


def tags(union: Any) -> list[str]:
    return [str(message.__struct_config__.tag) for message in get_args(union)]


def test_the_tables_are_those_of_the_types() -> None:
    assert reference.render(TEXT) == TEXT, "`make docs` writes them"


def test_a_type_that_changes_shows() -> None:
    assert reference.render(TEXT.replace("`payload.waitIfFull`", "`payload.wait`")) == TEXT
    assert TEXT.count("### `") == len(tags(requests.AnyRequest)) + len(tags(replies.AnyReply))


def test_every_request_has_its_reply_named() -> None:
    assert sorted(column("Messages", "a client says")) == sorted(tags(requests.AnyRequest))


def test_every_reply_is_named_in_the_prose() -> None:
    prose = TEXT.split("\n## What a client says\n")[0]
    assert not [tag for tag in tags(replies.AnyReply) if f"`{tag}`" not in prose]


def test_every_code_is_there() -> None:
    assert sorted(column("Errors", "code")) == sorted(ErrorCode)
    assert column("A connection", "code") == [str(int(code)) for code in CloseCode]
