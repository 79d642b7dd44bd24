"""`roomcall room`"""

import functools
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

import click

from ..options import SETTINGS, Server, json_option, server_options
from ..output import write_json, write_line
from ..signals import signals

if TYPE_CHECKING:
    from ..administration import Admin

# What is done at the server: what it told, and how people are told.
Told = tuple[dict[str, Any], Iterable[str]]
Work = Callable[["Admin"], Awaitable[Told]]

COUNT = click.IntRange(min=0)


@click.group(
    context_settings=SETTINGS,
    subcommand_metavar="COMMAND …",
    epilog="""\b
Examples:
  export ROOMCALL_ADMIN_TOKEN=…
  roomcall room create standup --max-participants 5
  roomcall room show standup
  roomcall room kick standup ann --ban
  roomcall room close standup""",
)
def command() -> None:
    """Manage a room, by its id or its name, with the server's admin token."""


class _When(click.ParamType[str]):
    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return datetime.fromisoformat(value).astimezone().isoformat()
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-03-01T09:30", param, ctx)


def _verb(name: str, example: str) -> Callable[[Callable[..., Work]], click.Command]:
    """Makes a command of a function that returns what is to be done at the server."""

    def decorate(function: Callable[..., Work]) -> click.Command:
        @command.command(name, context_settings=SETTINGS, epilog=f"\b\nExample:\n  {example}")
        @server_options
        @click.option(
            "--admin-token",
            metavar="SECRET",
            help="Of the server; better by ROOMCALL_ADMIN_TOKEN.",
        )
        @json_option
        @functools.wraps(function)
        def verb(
            *args: Any, server: Server, admin_token: str | None, json: bool, **rest: Any
        ) -> None:
            work = function(*args, **rest)

            async def run() -> None:
                from ..administration import Admin

                async with Admin(server, admin_token) as admin:
                    told, lines = await work(admin)
                if json:
                    write_json(told)
                else:
                    for line in lines:
                        write_line(line)

            signals.run(run())

        return verb

    return decorate


def _room(told: dict[str, Any]) -> Told:
    from ..describing import room_lines

    return told, room_lines(told)


room_argument = click.argument("room", metavar="ROOM")
member_argument = click.argument("member", metavar="MEMBER")
password_file_option = click.option(
    "--password-file", type=click.File(), metavar="FILE", help="Its first line is the password."
)


def _settings(
    max_participants: int | None,
    description: str | None,
    private: bool | None,
    empty_ttl: int | None,
    password: str | None,
    password_file: IO[str] | None,
) -> dict[str, Any]:
    """In the names of the protocol, without those that are not given."""
    if password_file is not None:
        password = password_file.readline().rstrip("\r\n")
    metadata = {"description": description, "private": private}
    metadata = {name: value for name, value in metadata.items() if value is not None}
    settings = {
        "maxParticipants": max_participants,
        "metadata": metadata or None,
        "emptyTtlSeconds": empty_ttl,
        "password": password,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--max-participants", type=COUNT, metavar="N", help="0 is any number."),
        click.option("--description", metavar="TEXT"),
        click.option(
            "--empty-ttl", type=COUNT, metavar="SECONDS", help="How long it lives on when empty."
        ),
        password_file_option,
    ):
        function = option(function)
    return function


@_verb("create", "roomcall room create standup --private --max-participants 5")
@click.argument("name")
@_settings_options
@click.option("--private", is_flag=True, help="Only its id leads to it.")
@click.option("--password", metavar="TEXT", help="Better by ROOMCALL_PASSWORD.")
@click.option("--opens-at", type=_When(), help="Nobody enters before.")
@click.option("--closes-at", type=_When(), help="It is closed then.")
def create(name: str, opens_at: str | None, closes_at: str | None, **settings: Any) -> Work:
    """Make a room, without anybody in it."""
    body = {"name": name, **_settings(**settings)}
    times = {"opensAt": opens_at, "closesAt": closes_at}
    body |= {name: time for name, time in times.items() if time is not None}

    async def work(admin: "Admin") -> Told:
        return _room(await admin.ask("POST", "rooms", body=body))

    return work


@_verb("show", "roomcall room show standup --json")
@room_argument
def show(room: str) -> Work:
    """Show a room and who is in it."""

    async def work(admin: "Admin") -> Told:
        return _room(await admin.ask("GET", "rooms", await admin.room_id(room)))

    return work


@_verb("update", "roomcall room update standup --new-name daily --no-password")
@room_argument
@click.option("--new-name", metavar="NAME")
@_settings_options
@click.option("--private/--public", default=None, help="Is it listed and found by name?")
@click.option("--new-password", metavar="TEXT", help="Better by ROOMCALL_NEW_PASSWORD.")
@click.option("--no-password", is_flag=True, help="Take the password off.")
def update(
    room: str,
    new_name: str | None,
    new_password: str | None,
    no_password: bool,
    **settings: Any,
) -> Work:
    """Change what a room is set to; what is not given stays."""
    changes = _settings(password=new_password, **settings)
    if no_password and "password" in changes:
        raise click.UsageError("--no-password excludes a new one")
    if no_password:
        changes["password"] = None
    if new_name is not None:
        changes["name"] = new_name
    if not changes:
        raise click.UsageError("nothing is to be changed — give an option such as --new-name")
    return _change(room, changes)


@_verb("lock", "roomcall room lock standup")
@room_argument
def lock(room: str) -> Work:
    """Let nobody else in."""
    return _change(room, {"locked": True})


@_verb("unlock", "roomcall room unlock standup")
@room_argument
def unlock(room: str) -> Work:
    """Let others in again."""
    return _change(room, {"locked": False})


def _change(room: str, changes: dict[str, Any]) -> Work:
    async def work(admin: "Admin") -> Told:
        id = await admin.room_id(room)
        return _room(await admin.ask("PATCH", "rooms", id, body=changes))

    return work


@_verb("close", "roomcall room close standup")
@room_argument
def close(room: str) -> Work:
    """End a room for all who are in it."""

    async def work(admin: "Admin") -> Told:
        id = await admin.room_id(room)
        await admin.ask("DELETE", "rooms", id)
        return {"id": id, "closed": True}, [f"closed {id}"]

    return work


@_verb("kick", "roomcall room kick standup ann --ban --reason noise")
@room_argument
@member_argument
@click.option("--ban", is_flag=True, help="For good.")
@click.option("--reason", default="", metavar="TEXT", help="Is told to the member.")
def kick(room: str, member: str, ban: bool, reason: str) -> Work:
    """Show MEMBER out, by id or by name."""

    async def work(admin: "Admin") -> Told:
        room_id = await admin.room_id(room)
        id = await admin.member_id(room_id, member)
        query = {"ban": str(ban).lower(), "reason": reason}
        await admin.ask("DELETE", "rooms", room_id, "members", id, query=query)
        return {"roomId": room_id, "memberId": id, "banned": ban}, [f"removed {id}"]

    return work


@_verb("mute", "roomcall room mute standup ann --kind audio")
@room_argument
@member_argument
@click.option("--kind", type=click.Choice(["audio", "video", "all"]), default="audio")
def mute(room: str, member: str, kind: str) -> Work:
    """Have MEMBER, by id or by name, stop sending sound, pictures or both."""

    async def work(admin: "Admin") -> Told:
        from ..describing import member_line

        room_id = await admin.room_id(room)
        id = await admin.member_id(room_id, member)
        told = await admin.ask("POST", "rooms", room_id, "members", id, "mute", body={"kind": kind})
        return told, [member_line(told)]

    return work


@_verb("history", "roomcall room history standup --json")
@room_argument
def history(room: str) -> Work:
    """Show what was in a room."""

    async def work(admin: "Admin") -> Told:
        from ..describing import history_lines

        told = await admin.ask("GET", "rooms", await admin.room_id(room), "history")
        return told, history_lines(told)

    return work


@_verb("analytics", "roomcall room analytics --json")
@click.argument("room", metavar="[ROOM]", required=False)
def analytics(room: str | None) -> Work:
    """Show what the history of a room comes to; without ROOM that of all."""

    async def work(admin: "Admin") -> Told:
        from ..describing import analytics_lines

        of_room = () if room is None else ("rooms", await admin.room_id(room))
        told = await admin.ask("GET", *of_room, "analytics")
        return told, analytics_lines(told)

    return work
