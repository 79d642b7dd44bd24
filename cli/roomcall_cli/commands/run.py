"""`roomcall run`"""

import sys
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from ..botting import run_bot
from ..calling import Calling, calling_options
from ..options import SETTINGS, Media, media_options

if TYPE_CHECKING:
    from roomcall import Bot


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall run greeter.py standup
  roomcall run my_bots:Greeter standup --name hello""",
)
@click.argument("bot")
@click.argument("room")
@click.option("--name", metavar="NAME", help="What the others see.  [default: the bot's]")
@media_options
@calling_options
def command(bot: str, room: str, name: str | None, media: Media, calling: Calling) -> None:
    """Run BOT in ROOM: a Python file with one bot in it, or module:name.

    A bot is a class made on roomcall.Bot that needs no argument, or such an object.
    """
    run_bot(_load(bot), room, calling, {"name": name, **media.options()})


def _load(given: str) -> "Bot":
    """Raises `click.BadParameter` where there is no bot; what the code itself raises passes."""
    from roomcall import Bot

    module_name, colon, name = given.partition(":")
    if given.endswith(".py"):
        module = _load_file(Path(given))
        found = [value for value in vars(module).values() if _is_made_here(value, module, Bot)]
        if len(found) != 1:
            how_many = f"{len(found)} bots" if found else "no bot"
            raise click.BadParameter(
                f"{given} has {how_many}, a class made on roomcall.Bot — give it as module:name"
            )
        return _made(found[0], given)
    if not colon:
        raise click.BadParameter(f"{given} is neither a .py file nor module:name")
    sys.path.insert(0, "")  # as `python -m` has it
    try:
        value = getattr(import_module(module_name), name)
    except ModuleNotFoundError as error:
        raise click.BadParameter(f"there is no module {error.name}") from None
    except AttributeError:
        raise click.BadParameter(f"there is no {name} in {module_name}") from None
    return _made(value, given)


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise click.BadParameter(f"there is no file {path}")
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent))  # as `python FILE` has it
    spec.loader.exec_module(module)
    return module


def _is_made_here(value: object, module: ModuleType, bot: type) -> bool:
    return (
        isinstance(value, type) and issubclass(value, bot) and value.__module__ == module.__name__
    )


def _made(value: Any, given: str) -> "Bot":
    from roomcall import Bot

    if isinstance(value, type) and issubclass(value, Bot):
        try:
            return value()
        except TypeError as error:
            raise click.BadParameter(f"{given} cannot be made: {error}") from None
    if not isinstance(value, Bot):
        raise click.BadParameter(f"{given} is not made on roomcall.Bot")
    return value
