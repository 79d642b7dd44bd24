"""What all peers of a call share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..media.fanout import Publication
from ..media.source import Kind
from .connection import ConnectionConfig
from .listener import PeerListener

if TYPE_CHECKING:
    from .peer import Peer


class Publications(Protocol):
    """What is sent to each peer."""

    def of(self, peer: "Peer") -> Mapping[Kind, Publication]: ...
    async def let_go(self, peer: "Peer") -> None:
        """It is gone: what was for it alone ends."""


@dataclass(frozen=True, slots=True)
class PeerContext:
    own_id: str
    config: ConnectionConfig
    publications: Publications
    send: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    listener: PeerListener
    on_doubt: Callable[[], None]
    on_told: Callable[["Peer", Mapping[str, Any]], None]
    measure: bool = False
    watch: bool = False
