"""The server as a program holds it: started, with an address, and stopped in good order."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from .config import Config, ConfigError
from .http import metrics, page, requestlog, status, websocket
from .http.api import description, endpoint
from .logs import get_logger
from .service import Service
from .store.base import Store, StoreError
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore

SQLITE = "sqlite:///"
REDIS = ("redis://", "rediss://")
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

    `port` 0 takes any that is free. `store` is "memory", or "sqlite:///FILE": with a file, a server
    that was killed and comes back has its rooms, and its clients resume. `config` is what `Config`
    has. Raises `ConfigError` or `StartError`.
    """
    settings = _config(config)
    tls = _tls(settings)
    kept = await _open_store(store, settings)
    service = Service(settings, kept)
    app = application(service)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=requestlog.logger,
        keepalive_timeout=REQUEST_TIMEOUT,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=tls)
    try:
        await service.take_up()
        try:
            await site.start()
        except OSError as error:
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        bound = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        log.info("listening", host=host, port=bound)
        try:
            yield Server(
                url=f"{'http' if tls is None else 'https'}://{shown}:{bound}",
                port=bound,
                service=service,
            )
        finally:
            await service.drain()
    finally:
        await service.close()
        await runner.cleanup()
        await kept.close()


def application(service: Service) -> web.Application:
    """All that the server answers over HTTP; it may stand below a prefix of another one."""
    app = web.Application(
        middlewares=[requestlog.middleware(service)],
        client_max_size=service.config.max_message_bytes,
    )
    app.on_response_prepare.append(requestlog.sign)
    app.add_subapp(endpoint.PREFIX, description.application(service))
    app.add_routes(
        [
            *websocket.routes(service),
            *status.routes(service),
            *metrics.routes(service),
            *page.routes(),
        ]
    )
    return app


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error
        raise StartError(f"{config.tls_cert} and {config.tls_key} cannot be used: {why}") from None
    return context


def _config(settings: dict[str, Any]) -> Config:
    try:
        return Config(**settings)
    except TypeError as error:
        raise ConfigError(str(error)) from None


async def _open_store(name: str, config: Config) -> Store:
    if name == "memory":
        return MemoryStore(config.chat_history, config.history_days)
    try:
        if name.startswith(REDIS):
            from .store.redis.store import RedisStore  # whoever has no Redis needs no client of it

            return await RedisStore.open(name, config.chat_history, config.history_days)
        if name.startswith(SQLITE) and name != SQLITE:
            path = Path(name.removeprefix(SQLITE))
            return await SqliteStore.open(path, config.chat_history, config.history_days)
    except StoreError as error:
        raise StartError(str(error)) from error
    shown = name.partition(":")[0]  # it may have a password
    raise ConfigError(
        f"store: {shown!r} is none that there is: memory, {SQLITE}FILE, or {REDIS[0]}HOST"
    )
