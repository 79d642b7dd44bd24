"""Everybody else in the room: a `Peer` each, made and ended as members come and go."""

import asyncio
from collections.abc import Mapping
from typing import Any

from .peer import Peer, PeerContext


class Mesh:
    """Keeps one peer for every other member. `peers` is live."""

    def __init__(self, context: PeerContext) -> None:
        self.peers: dict[str, Peer] = {}
        self._context = context
        self._closing: set[asyncio.Task[None]] = set()

    def arrive(self, id: str, name: str, *, before: bool) -> Peer | None:
        """A member is there; `before`: it was when we came, so we offer. None if it is known."""
        if id in self.peers or id == self._context.own_id:
            return None
        peer = self.peers[id] = Peer(id, name, self._context, offers_first=before)
        return peer

    def depart(self, id: str) -> Peer | None:
        """A member has gone. Its connection is closed in the background; nobody waits for it."""
        peer = self.peers.pop(id, None)
        if peer is not None:
            task = asyncio.create_task(peer.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        return peer

    def signal(self, sender: str, message: Mapping[str, Any]) -> None:
        """A signal of one who is not in the room (any more) is dropped."""
        if peer := self.peers.get(sender):
            peer.signal(message)

    def restart(self, context: PeerContext) -> list[Peer]:
        """As another member than before: everybody departs. Returns them."""
        self._context = context
        return [peer for id in list(self.peers) if (peer := self.depart(id)) is not None]

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Statistics of all peers, by client id."""
        peers = list(self.peers.values())
        reports = await asyncio.gather(*(peer.stats() for peer in peers))
        return {peer.id: report for peer, report in zip(peers, reports, strict=True)}

    async def close(self) -> None:
        for id in list(self.peers):
            self.depart(id)
        await asyncio.gather(*self._closing, return_exceptions=True)
