"""What a run gives: JSON lines, or what `lines` shows to people.

stdout carries the result and nothing else, each line flushed at once; warnings and live displays go
to stderr.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import click

from .exits import OutputLost

if TYPE_CHECKING:
    from pathlib import Path

    from roomcall import Event


class Output(Protocol):
    """Shows what happens while it is entered."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def event(self, event: "Event", own_id: str) -> None:
        """Something happened in the call of the client `own_id`."""

    def note(self, text: str) -> None:
        """What people should know beside the events."""


def write_line(text: str) -> None:
    """To stdout, at once. Raises `OutputLost` where nobody reads it any more."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputLost from None
    except OSError as error:
        raise unwritable(error) from None


def unwritable(error: OSError) -> click.UsageError:
    return click.UsageError(f"stdout cannot be written: {error.strerror} — send it elsewhere")


def unwritable_file(path: "Path", error: OSError) -> click.UsageError:
    return click.UsageError(f"{path} cannot be written: {error.strerror} — give another place")


def write_file(path: "Path", text: str) -> None:
    """Raises `click.UsageError`."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable_file(path, error) from None


def write_json(value: Mapping[str, Any]) -> None:
    """One object on one line."""
    write_line(json.dumps(value, ensure_ascii=False))


def write_note(text: str) -> None:
    """What people should know beside the result."""
    if not is_quiet():
        click.echo(text, err=True)


def write_warning(text: str) -> None:
    click.echo(f"Warning: {text}", err=True)


def is_quiet() -> bool:
    """Was `-q` given?"""
    return bool(click.get_current_context().find_root().params.get("quiet"))


class JsonLines:
    """Events as they are, on one clock. `several`: each says as `self` who saw it."""

    def __init__(self, *, several: bool = False) -> None:
        self._several = several
        self._started = datetime.now(UTC)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def event(self, event: "Event", own_id: str) -> None:
        # A call counts from entering; the calls of one command did not enter at once.
        t = {"t": round((event.time - self._started).total_seconds(), 3)}
        write_json(event.to_dict() | t | ({"self": own_id} if self._several else {}))

    def note(self, text: str) -> None:
        write_note(text)
