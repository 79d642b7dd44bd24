"""What a handler of messages works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from roomcall.protocol.replies import Reply

from ..clients.client import Client
from ..clients.registry import Registry
from ..clients.sessions import Sessions
from ..config import Config
from ..figures import Figures
from ..ice import IceServers
from ..passwords import Passwords
from ..rooms.manager import RoomManager
from ..rooms.outcome import Send
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

    async def tell(self, client: Client, reply: Reply) -> None:
        """In its order: by then everything that the reply shows is kept. Raises `StoreAway`."""
        await self.store.publish([Send((client.id,), reply)])


class Asker(Protocol):
    """Who asks for something of the host's: a client, or the admin."""

    @property
    def id(self) -> str: ...


# The request is of the type under which the router names the handler.
Handler = Callable[[Context, Client, Any], Awaitable[None]]
