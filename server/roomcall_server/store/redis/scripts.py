"""The Lua scripts, whole: each with what is common to all of them."""

from importlib.resources import files

_NAMES = (
    *("enter", "snapshot", "fence", "beat", "commit", "post"),
    *("bury", "leave", "restore"),
)


def load() -> dict[str, str]:
    folder = files(__package__).joinpath("lua")
    common = folder.joinpath("common.lua").read_text(encoding="utf-8")
    return {
        name: common + folder.joinpath(f"{name}.lua").read_text(encoding="utf-8") for name in _NAMES
    }


SCRIPTS = load()
