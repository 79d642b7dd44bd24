"""Everybody else in the room: a `Peer` each, made and ended as members come and go."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from . import renaming
from .context import PeerContext
from .peer import Peer
from .renaming import Renaming

MAX_HELD_SIGNALS = 64  # of one member; what comes beyond, before it is known who it is, is dropped
_TICK = 0.2  # seconds, while members look for each other


class MeshListener(Protocol):
    """Each is called once for each time that it happens."""

    def arrived(self, peer: Peer) -> None: ...
    def departed(self, peer: Peer, reason: str) -> None: ...
    def renamed(self, ids: Mapping[str, str]) -> None: ...


class _Held:
    """A member of whom it is not known whether we know it, and what it has said."""

    def __init__(self, name: str, before: bool) -> None:
        self.name = name
        self.before = before
        self.signals: list[Mapping[str, Any]] = []


class Mesh:
    """Keeps one peer for every other member. `peers` is live."""

    def __init__(self, context: PeerContext, listener: MeshListener) -> None:
        self.peers: dict[str, Peer] = {}
        self._context = context
        self._listener = listener
        self._renaming = Renaming()
        self._held: dict[str, _Held] = {}
        self._ticking: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._now = asyncio.get_running_loop().time

    def arrive(self, id: str, name: str, *, before: bool) -> None:
        """A member is there; `before`: it was when we came, so we offer."""
        if id == self._context.own_id or id in self._held:
            return
        if id in self.peers:
            if id not in self._renaming.strays:
                return
            self.depart(id, "disconnected")  # it has kept its id, and seen us leave
        self._held[id] = _Held(name, before)
        self._carry_out(self._renaming.came(id, self._now()))

    def depart(self, id: str, reason: str) -> None:
        """A member has gone. Its connection is closed in the background; nobody waits for it."""
        self._held.pop(id, None)
        self._renaming.left(id)
        if id in self.peers:
            self._depart(id, reason)

    def signal(self, sender: str, message: Mapping[str, Any]) -> None:
        """A signal of one who is not in the room (any more) is dropped."""
        if peer := self.peers.get(sender):
            peer.signal(message)
        elif (held := self._held.get(sender)) and len(held.signals) < MAX_HELD_SIGNALS:
            held.signals.append(message)

    def restart(self, context: PeerContext) -> None:
        """As another member than before, in a room that has forgotten everybody: with whom we are
        connected we stay so, and find each other again."""
        self._context = context
        self._held.clear()
        for id, peer in list(self.peers.items()):
            if peer.state not in ("connected", "disconnected"):
                self.depart(id, "disconnected")
            else:
                peer.tell({"type": "id", "id": context.own_id})
        self._carry_out(self._renaming.restart(self.peers, self._now()))
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick(), name="roomcall-renaming")

    def signaling_back(self, gap: bool) -> None:
        """Signals had been held up, and are no more: the room is as it was. With a `gap` some are
        lost."""
        for peer in self.peers.values():
            peer.signaling_back(gap)

    def told(self, peer: Peer, message: Mapping[str, Any]) -> None:
        """What a peer says to its counterpart over the connection. Anything else is ignored."""
        id = message.get("id")
        if message.get("type") == "id" and isinstance(id, str) and self.peers.get(peer.id) is peer:
            self._carry_out(self._renaming.told(peer.id, id))

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Statistics of all peers, by client id."""
        peers = list(self.peers.values())
        reports = await asyncio.gather(*(peer.stats() for peer in peers))
        return {peer.id: report for peer, report in zip(peers, reports, strict=True)}

    async def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        for peer in self.peers.values():
            self._close(peer)
        self.peers.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _tick(self) -> None:
        while self._renaming.busy:
            await asyncio.sleep(_TICK)
            dead = [id for id, peer in self.peers.items() if peer.state != "connected"]
            self._carry_out(self._renaming.tick(self._now(), dead))
        self._ticking = None

    def _carry_out(self, effects: list[renaming.Effect]) -> None:
        for effect in effects:
            match effect:
                case renaming.Newcomer(id):
                    held = self._held.pop(id)
                    peer = Peer(id, held.name, self._context, offers_first=held.before)
                    self.peers[id] = peer
                    self._listener.arrived(peer)
                    self._say_again(peer, held)
                case renaming.Same(old, new):
                    self._rename(old, new)
                case renaming.Renamed(ids):
                    self._listener.renamed(ids)
                case renaming.StrayLost(old):
                    self._depart(old, "lost")

    def _rename(self, old: str, new: str) -> None:
        peer, held = self.peers.pop(old), self._held.pop(new, None)
        if (stranger := self.peers.pop(new, None)) is not None:
            # It took long to say who it is, and was called as somebody else meanwhile.
            self._listener.departed(stranger, "disconnected")
            self._close(stranger)
        peer.rename(new, self._context)
        self.peers[new] = peer
        if held is not None:
            self._say_again(peer, held)

    def _say_again(self, peer: Peer, held: _Held) -> None:
        for message in held.signals:
            peer.signal(message)

    def _depart(self, id: str, reason: str) -> None:
        peer = self.peers.pop(id)
        self._listener.departed(peer, reason)
        self._close(peer)

    def _close(self, peer: Peer) -> None:
        task = asyncio.create_task(peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
