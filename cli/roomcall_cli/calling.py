"""What every command has that takes part in a call itself: its options, and how it goes."""

import functools
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import roomcall

from .following import beside, leave_after, show
from .options import (
    Command,
    Server,
    access_options,
    bundle_option,
    duration_option,
    ice_server_option,
    json_option,
    network_option,
    server_options,
)
from .output import JsonLines, Output
from .signals import signals

if TYPE_CHECKING:
    from roomcall import Call, Event

    from .checking.keeping import Keeping


@dataclass(frozen=True, slots=True)
class Calling:
    """`options` are those of `roomcall.join` that were given."""

    server: Server
    options: Mapping[str, Any]
    duration: float | None
    json: bool
    keeping: "Keeping | None"

    @contextmanager
    def shown(self, lines: Callable[[], Output]) -> Iterator[Output]:
        """What shows the call: JSON, or `lines`; the bundle is written meanwhile."""
        with self.keeping or nullcontext(), JsonLines() if self.json else lines() as output:
            yield output

    def join(
        self, room: str, output: Output, **options: Any
    ) -> "AbstractAsyncContextManager[Call]":
        """With more options of `roomcall.join`; what was given to the command counts more."""
        return roomcall.join(
            room,
            **{**options, **self.options},
            on_queued=lambda event: output.event(event, ""),
            on_signal=self.keeping.signal if self.keeping is not None else None,
        )

    async def stay(
        self,
        call: "Call",
        output: Output,
        work: Sequence[Coroutine[Any, Any, None]] = (),
        seers: "Sequence[Callable[[Event], None]]" = (),
    ) -> None:
        """Show every event, to `seers` too, until the call ends, with `work` beside it that ends
        with the call. Raises what ended the call, else what `work` raises."""
        if self.keeping is not None:
            seers = [*seers, self.keeping.event]
        leaving = [leave_after(self.duration, [call])] if self.duration else []
        async with beside(*work, *leaving) as tasks:
            with signals.answered_by(lambda: call.leave("interrupted")):
                await show(call, output, *seers)
            for task in tasks[: len(work)]:
                await task


def calling_options(function: Command) -> Command:
    """The command gets them as `calling: Calling`."""

    @server_options
    @access_options
    @duration_option("Leave after so many seconds.")
    @ice_server_option
    @network_option
    @bundle_option
    @json_option
    @functools.wraps(function)
    def command(
        *args: Any,
        server: Server,
        password: str | None,
        token: str | None,
        create: bool,
        wait_if_full: bool,
        reconnect_for: float,
        duration: float | None,
        ice_server: tuple[dict[str, str], ...],
        network: str | None,
        bundle: Path | None,
        json: bool,
        **rest: Any,
    ) -> None:
        options = {
            "server": server.url,
            "ssl": server.ssl,
            "password": password,
            "token": token,
            "create": create,
            "wait_if_full": wait_if_full,
            "reconnect_for": reconnect_for,
            "ice_servers": ice_server,
            "network": network,
        }
        given = {name: value for name, value in options.items() if value is not None}
        keeping = None if bundle is None else _keeping(bundle, password, token, ice_server)
        function(*args, calling=Calling(server, given, duration, json, keeping), **rest)

    return command


def _keeping(folder: Path, *secrets: Any) -> "Keeping":
    from .checking.keeping import keep

    return keep(folder, click.get_current_context().params, *secrets)
