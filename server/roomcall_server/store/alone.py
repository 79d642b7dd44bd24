"""What a store of one process has in common with others: who listens, and that there is no other
node."""

from collections.abc import Sequence

from ..rooms.outcome import Effect, Send
from .base import Answer, Commit, Listeners, StoreAway


class Alone:
    """Implements that part of `Store` which is about nodes, where there is one."""

    node = ""
    calls = None
    _listeners = Listeners()

    def listen(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def answer(self, answer: Answer) -> None:
        pass

    async def ask(self, node: str, message: bytes) -> bytes:
        raise StoreAway

    def applied(self, commit: Commit) -> None:
        """It is kept: tell it."""
        if commit.rooms or commit.sessions:
            self._listeners.changed(commit.rooms, commit.sessions, True)
        self.tell(commit.effects)

    def tell(self, effects: Sequence[Effect]) -> None:
        told = [effect for effect in effects if isinstance(effect, Send)]
        if told:
            self._listeners.deliver(told)
