"""What a handler of messages works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..clients.client import Client
from ..clients.registry import Registry
from ..config import Config
from ..ice import IceServers
from ..rooms.manager import RoomManager
from ..store.base import Store


@dataclass(frozen=True, slots=True)
class Context:
    config: Config
    store: Store
    rooms: RoomManager
    clients: Registry
    ice: IceServers


# The request is of the type under which the router names the handler.
Handler = Callable[[Context, Client, Any], Awaitable[None]]
