"""What a handler of messages works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..clients.client import Client
from ..clients.registry import Registry
from ..clients.sessions import Sessions
from ..config import Config
from ..figures import Figures
from ..ice import IceServers
from ..passwords import Passwords
from ..rooms.manager import RoomManager
from ..store.base import Store
from ..tokens import Tokens


@dataclass(frozen=True, slots=True)
class Context:
    config: Config
    store: Store
    rooms: RoomManager
    clients: Registry
    ice: IceServers
    passwords: Passwords
    tokens: Tokens | None  # None: no client needs one
    sessions: Sessions
    figures: Figures
    may_join: Callable[[str], bool]  # from this address, just now
    joins_for_long: Callable[[str], bool]  # too fast, this address


class Asker(Protocol):
    """Who asks for something of the host's: a client, or the admin."""

    @property
    def id(self) -> str: ...


# The request is of the type under which the router names the handler.
Handler = Callable[[Context, Client, Any], Awaitable[None]]
