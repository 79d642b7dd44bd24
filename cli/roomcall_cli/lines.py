"""For people: a line for what they care about, and a live table where stderr is a terminal."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console, Group
from rich.live import Live

from .exits import OutputLost
from .output import is_quiet, unwritable
from .wording import line_of, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from roomcall import Event


class _Table(Protocol):
    """Made from events; false while it is empty."""

    def __bool__(self) -> bool: ...
    def see(self, event: "Event", own_id: str) -> None: ...
    def render(self) -> "RenderableType": ...


class _Stdout(Console):
    def on_broken_pipe(self) -> None:
        raise OutputLost from None  # not rich's own exit with 1


def stdout_console() -> Console:
    """For the result. A file has no edge at which to cut a table."""
    console = _Stdout(file=sys.stdout, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 500
    return console


class Lines:
    """Shows events of the types `only`, and a `table`: live, with what is `below` it, and once more
    at the end."""

    def __init__(
        self,
        only: tuple[type["Event"], ...],
        table: "_Table | None" = None,
        below: "Callable[[], RenderableType] | None" = None,
    ) -> None:
        self._table = table
        self._below = below
        self._only = only
        self._quiet = is_quiet()
        self._stdout = stdout_console()
        self._screen = Console(stderr=True, highlight=False)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._table is not None and self._screen.is_terminal and not self._quiet:
            self._live = Live(
                console=self._screen,
                get_renderable=self._shown,
                auto_refresh=False,  # at each event: no thread reads the table while it changes
                transient=True,
                redirect_stdout=False,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None, /
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if kind is None and not self._quiet and self._table:
            self._print(self._table.render())

    def _shown(self) -> "RenderableType":
        assert self._table is not None, "there is no live view without one"
        below = [self._below()] if self._below is not None else []
        return Group(*([self._table.render()] if self._table else []), *below)

    def event(self, event: "Event", own_id: str) -> None:
        if self._table is not None:
            self._table.see(event, own_id)
        if isinstance(event, self._only) and not self._quiet:
            line = line_of(event)
            if line is not None:
                self._print(line)
        self.refresh()

    def refresh(self) -> None:
        """What the live view shows has changed."""
        if self._live is not None:
            self._live.refresh()

    def note(self, text: str) -> None:
        if not self._quiet:
            self._print(printable(text))

    def _print(self, what: "RenderableType") -> None:
        on_screen = self._live is not None and self._stdout.is_terminal
        # Only the live display's own console knows how to write above it.
        console = self._screen if on_screen else self._stdout
        try:
            console.print(what)
        except OSError as error:
            raise unwritable(error) from None
