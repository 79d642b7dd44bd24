"""Who is connected to this process, and how effects reach them."""

from collections.abc import Iterator, Sequence

from roomcall.protocol import codec

from ..rooms.outcome import Effect
from .client import Client


class Registry:
    """Clients by id."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    def get(self, id: str) -> Client | None:
        return self._clients.get(id)

    def add(self, client: Client) -> None:
        self._clients[client.id] = client

    def remove(self, client: Client) -> None:
        self._clients.pop(client.id, None)

    def deliver(self, effects: Sequence[Effect]) -> None:
        """Bring each message to those of its addressees that are here, encoded once."""
        for effect in effects:
            frame = codec.encode(effect.message)
            for id in effect.to:
                client = self._clients.get(id)
                if client is not None:
                    client.send_frame(frame)
