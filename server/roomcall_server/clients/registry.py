"""The clients of this process, and how effects reach them."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from roomcall.protocol import codec, replies

from ..figures import Figures
from ..rooms.outcome import Send
from .client import Client
from .connection import framed


class Registry:
    """Clients by id and by the hash of their resume token."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._clients: dict[str, Client] = {}
        self._tokens: dict[str, Client] = {}
        self._direct: dict[str, Client] = {}
        self._gone: dict[str, Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def __contains__(self, client: Client) -> bool:
        return client.id in self._clients

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    def get(self, id: str) -> Client | None:
        return self._clients.get(id)

    def by_token(self, token: str) -> Client | None:
        return self._tokens.get(token_hash(token))

    def direct(self, id: str) -> Client | None:
        return self._direct.get(id)

    def add(self, client: Client) -> None:
        self._clients[client.id] = client
        self._tokens[client.token_hash] = client
        if client.direct:
            self._direct[client.id] = client

    def remove(self, client: Client) -> None:
        del self._clients[client.id]
        del self._tokens[client.token_hash]
        if self._direct.pop(client.id, None):
            self.list_direct()

    def let_go(self, client: Client) -> None:
        """It is another node's now. What was sent to it before that became known still comes here,
        until it is forgotten."""
        self.remove(client)
        self._gone[client.id] = client

    def gone(self, id: str) -> Client | None:
        return self._gone.get(id)

    def forget(self, id: str) -> None:
        self._gone.pop(id, None)

    def list_direct(self) -> None:
        """Tell every direct client who the others are."""
        for client in self._direct.values():
            others = [id for id in self._direct if id != client.id]
            client.send(replies.ClientList(clients=others))

    def deliver(self, effects: Sequence[Send]) -> None:
        """Bring each message to those of its addressees that are here, encoded once."""
        clients = self._clients
        for effect in effects:
            message = effect.message
            frame = framed(codec.encode(message))
            sent = 0
            for id in effect.to:
                if id in clients:
                    clients[id].send_frame(frame)
                    sent += 1
            self._figures.sent[type(message)] += sent

    def deliver_posted(self, effects: Sequence[Send]) -> list[Send]:
        """The same for what another node has sent. What is for those who have gone, and were asked
        for already, comes back: it has to follow them."""
        onward = []
        for effect in effects:
            frame = framed(codec.encode(effect.message))
            for id in effect.to:
                client = self._clients.get(id) or self._gone.get(id)
                if client is None:
                    onward.append(Send((id,), effect.message))
                else:
                    client.send_frame(frame)
                    self._figures.sent[type(effect.message)] += 1
        return onward


def token_hash(token: str) -> str:
    """A plain hash is enough: a token is as random as a key."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()
