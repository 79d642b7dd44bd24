"""How a run ends: one line on stderr, and the exit code that scripts depend on.

0  done
1  a verdict was no
2  wrong use: an unknown option, a bad value, a source that cannot be read
3  the server cannot be reached, or was lost
4  the server refused
5  no media path to a peer that was to be connected
6  no verdict: the machine was too busy, or the run was interrupted
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from roomcall.errors import (
    NoMediaPath,
    ProtocolError,
    RecordingError,
    Refused,
    RoomcallError,
    ServerUnreachable,
    SourceError,
)
from roomcall.network.conditions import NetworkError

from .signals import Interrupted

EXIT_CODES: dict[type[RoomcallError], int] = {
    NetworkError: 2,
    SourceError: 2,
    RecordingError: 2,
    ServerUnreachable: 3,
    ProtocolError: 3,
    Refused: 4,
    NoMediaPath: 5,
}
_ADVICE = {
    "room-not-found": "check its name, or leave out --no-create",
    "room-full": "try again when somebody has left",
    "wrong-password": "give it with --password-file or ROOMCALL_PASSWORD",
    "unauthorized": "give a valid token with --token or ROOMCALL_TOKEN",
    "room-locked": "ask the host to unlock it",
    "banned": "ask the host of the room",
    "rate-limited": "wait a while and try again",
    "removed": "ask the host of the room",
}


class OutputLost(Exception):
    """Nobody reads stdout any more (`| head`): the end, and no error."""


@contextmanager
def handled() -> Iterator[None]:
    """Ends the process with a line and a code for whatever a command raises."""
    try:
        yield
    except Interrupted:
        pass
    except (OutputLost, BrokenPipeError):
        _let_go_of_stdout()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _fail(_of_click(error), 2)
    except click.Abort:
        _fail("nothing was entered — give the value as an option", 2)
    except RoomcallError as error:
        _fail(*explain(error))
    except Exception as error:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        _fail(f"{text} — a fault of roomcall: please report what -vv says", 1)


def of_verdict(ok: bool | None) -> int:
    """`ok` is None where there is no verdict."""
    return 6 if ok is None else 0 if ok else 1


def write_error(text: str) -> None:
    """The one line on stderr that says what went wrong, and what to do."""
    click.echo(f"Error: {' '.join(text.split())}", err=True)


def explain(error: RoomcallError) -> tuple[str, int]:
    """What to say, and the exit code."""
    text = str(error)
    if " — " not in text:
        code = error.code if isinstance(error, Refused) else ""
        text += f" — {_ADVICE.get(code, 'run again with -v to see more')}"
    return text, next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def _of_click(error: click.ClickException) -> str:
    text = error.format_message().rstrip(".")
    if " — " in text:
        return text
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{text} — see `{context.command_path if context else 'roomcall'} --help`"


def _fail(text: str, code: int) -> NoReturn:
    # The traceback is for -vv, which shows debug messages.
    logging.getLogger(__name__).debug("this is where it failed", exc_info=True)
    write_error(text)
    sys.exit(code)


def _let_go_of_stdout() -> None:
    """What is still buffered has no reader; Python would complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
