"""The server as a program holds it: started, with an address, and stopped in good order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .config import Config, ConfigError
from .http import page, requestlog, status, websocket
from .logs import get_logger
from .service import Service
from .store.base import Store
from .store.memory import MemoryStore

REQUEST_TIMEOUT = 30.0  # seconds in which a connection must have sent its request, or the next

log = get_logger("app")


class StartError(Exception):
    """The server cannot start: the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs. `url` is its address for `http`; the WebSocket is at `/ws`."""

    url: str
    port: int
    service: Service


@asynccontextmanager
async def serve(
    host: str = "127.0.0.1", port: int = 0, store: str = "memory", **config: Any
) -> AsyncIterator[Server]:
    """Run a server: `async with serve(port=0) as server: ... server.url`.

    `port` 0 takes any that is free. `config` is what `Config` has. Raises `ConfigError` or
    `StartError`.
    """
    settings = _config(config)
    service = Service(settings, _store(store, settings))
    app = web.Application()
    app.add_routes([*websocket.routes(service), *status.routes(service), *page.routes()])
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=requestlog.logger,
        keepalive_timeout=REQUEST_TIMEOUT,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        try:
            await site.start()
        except OSError as error:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        bound = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        log.info("listening", host=host, port=bound)
        yield Server(url=f"http://{shown}:{bound}", port=bound, service=service)
    finally:
        await service.close()
        await runner.cleanup()


def _config(settings: dict[str, Any]) -> Config:
    try:
        return Config(**settings)
    except TypeError as error:
        raise ConfigError(str(error)) from None


def _store(name: str, config: Config) -> Store:
    if name == "memory":
        return MemoryStore(config.chat_history)
    raise ConfigError(f"store: {name!r} is none that this server has; there is 'memory'")
