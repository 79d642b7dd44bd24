"""What people see on stderr while a check goes on: live on a terminal, else what is to stay."""

from types import TracebackType
from typing import Self

from rich.console import Console

from ..output import is_quiet


class Progress:
    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._quiet = is_quiet()
        self._status = self._console.status("starting") if self._is_live else None

    @property
    def _is_live(self) -> bool:
        return self._console.is_terminal and not self._quiet

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def now(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)

    def note(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, markup=False)
