"""The mode of the terminal that is typed on, which is put back as it was found.

A process in the background may neither read from its terminal nor set it: it would be stopped.
"""

import os
import sys
import termios
import tty
from contextlib import suppress
from typing import Any

Mode = list[Any]  # as termios has it


def is_typed_on() -> bool:
    """Is stdin a terminal?"""
    return sys.stdin is not None and sys.stdin.isatty()  # None: closed by the shell's <&-


def is_ours() -> bool:
    """Are we in its foreground?"""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return True  # it is not the one that controls us: nobody minds


def mode() -> Mode | None:
    """None where stdin is no terminal."""
    with suppress(termios.error):
        return termios.tcgetattr(sys.stdin.fileno()) if is_typed_on() else None
    return None


def put_back(before: Mode | None) -> None:
    if before is not None and is_ours():
        with suppress(termios.error):  # it is gone
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, before)


def give_keys_at_once() -> None:
    """Without waiting for a line, and without showing them; ctrl-C and ctrl-Z are signals still."""
    if is_ours():
        with suppress(termios.error):
            tty.setcbreak(sys.stdin.fileno(), termios.TCSANOW)
