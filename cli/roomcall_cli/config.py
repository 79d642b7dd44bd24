"""Options from a TOML file: a table a command, and the options of `roomcall` itself above them.

    quiet = true

    [join]
    server = "https://rooms.example"
    ice-server = ["stun:stun.example"]

An option on the command line and one in the environment come first.
"""

import tomllib
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import click

OWN_FOLDER = Path("roomcall.toml")


def load(ctx: click.Context, path: str | None, commands: Container[str]) -> None:
    """Make the file's values the defaults of `ctx`. Raises `click.UsageError`."""
    file = Path(path) if path is not None else _find()
    if file is None:
        return
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"{file} is not TOML: {error}") from None
    tables = {name: value for name, value in content.items() if isinstance(value, dict)}
    for name in tables:
        if name not in commands:
            raise click.UsageError(f"{file}: [{name}] is no command")
    own = {name: value for name, value in content.items() if name not in tables}
    ctx.default_map = _defaults(ctx.command, own, str(file)) | tables
    ctx.meta[__name__] = str(file)


def prepare(ctx: click.Context, name: str, command: click.Command) -> None:
    """Check a command's own table, now that the command is known. Raises `click.UsageError`."""
    if ctx.default_map and name in ctx.default_map:
        where = f"{ctx.meta[__name__]}: [{name}]"
        table = ctx.default_map[name]
        if isinstance(command, click.Group):
            checked = _defaults_of_group(command, table, where)
        else:
            checked = _defaults(command, table, where)
        ctx.default_map = {**ctx.default_map, name: checked}


def _find() -> Path | None:
    if OWN_FOLDER.is_file():
        return OWN_FOLDER
    from platformdirs import user_config_path  # only where it is asked for: it takes 15 ms

    of_user = user_config_path("roomcall") / "config.toml"
    return of_user if of_user.is_file() else None


def _defaults_of_group(group: click.Group, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Each key is for all commands of the group that have such an option."""
    result: dict[str, dict[str, Any]] = {name: {} for name in group.commands}
    for key in table:
        known = False
        for name, command in group.commands.items():
            if any(param.name == key.replace("-", "_") for param in command.params):
                result[name] |= _defaults(command, {key: table[key]}, where)
                known = True
        if not known:
            raise click.UsageError(f"{where} {key} is no option")
    return result


def _defaults(command: click.Command, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The table by the names of click's parameters."""
    options = {
        param.name: param
        for param in command.params
        if isinstance(param, click.Option) and param.name and not param.is_eager
    }
    result: dict[str, Any] = {}
    for key, value in table.items():
        option = options.get(key.replace("-", "_"))
        if option is None:
            raise click.UsageError(f"{where} {key} is no option")
        if isinstance(value, dict) or (isinstance(value, list) and not option.multiple):
            raise click.UsageError(f"{where} {key} takes one value")
        if option.multiple and not isinstance(value, list):
            value = [value]
        result[key.replace("-", "_")] = value
    return result
