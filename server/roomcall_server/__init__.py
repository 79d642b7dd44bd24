"""The signaling server.

    async with roomcall_server.serve(port=0) as server:
        print(server.url)

The names below are the public API. They load on first use, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import Server, StartError, serve
    from .config import Config, ConfigError

_HOME = {
    "Config": "config",
    "ConfigError": "config",
    "Server": "app",
    "StartError": "app",
    "serve": "app",
}

__all__ = ["Config", "ConfigError", "Server", "StartError", "serve"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
