"""What this node says to others: messages for their clients, questions and answers.

Rules of this file:
1. What comes up until it is sent goes together, in order, and before any later commit.
2. It is kept until Redis has said that it is in the streams; what is not there when a connection
   broke is said again. So nothing is lost and nothing comes twice, for as long as its node lives.
3. What is kept is bounded: then `StoreAway` is raised.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..base import StoreAway
from .link import Call, Link
from .wire import Argument, Item, items

MAX_ITEMS = 50_000
MAX_BYTES = 64 * 1024 * 1024


@dataclass(slots=True, eq=False)
class _Post:
    number: int
    to: dict[str, list[Item]] = field(default_factory=dict)
    count: int = 0
    size: int = 0
    taken: bool = False  # on its way: nothing more goes into it


class Posts:
    """`gone(node)` is called where there is no such node any more."""

    def __init__(
        self, standing: Callable[[], tuple[Argument, ...]], gone: Callable[[str], None]
    ) -> None:
        self._standing = standing
        self._gone = gone
        self._link: Link | None = None
        self._kept: deque[_Post] = deque()
        self._number = 0
        self._count = 0
        self._size = 0
        self._open: _Post | None = None

    def check(self) -> None:
        if self._count >= MAX_ITEMS or self._size >= MAX_BYTES:
            raise StoreAway

    def add(self, node: str, item: Item, size: int) -> None:
        post = self._open
        if post is None or post.taken:
            self._number += 1
            post = self._open = _Post(self._number)
            self._kept.append(post)
            if self._link is not None:
                self._send(self._link, post)
        post.to.setdefault(node, []).append(item)
        post.count += 1
        post.size += size
        self._count += 1
        self._size += size

    def close(self) -> None:
        """A commit follows: what is added from now on comes after that."""
        self._open = None

    def leave(self) -> None:
        """The connection is broken."""
        self._link = self._open = None

    def go_on(self, link: Link, posted: int) -> None:
        """By this connection; up to that number all of it has been said."""
        self._link = link
        while self._kept and self._kept[0].number <= posted:
            self._drop()
        for post in self._kept:
            post.taken = False
            self._send(link, post)
        self._open = None

    def clear(self) -> None:
        """Nobody is there any more to whom it was said."""
        while self._kept:
            self._drop()

    def _send(self, link: Link, post: _Post) -> None:
        def arguments() -> list[Argument]:
            post.taken = True
            found: list[Argument] = [*self._standing(), post.number, len(post.to)]
            for node, said in post.to.items():
                found += (node, items(said))
            return found

        link.call(Call("post", arguments, lambda reply: self._answered(post, reply)))

    def _answered(self, post: _Post, reply: Any) -> None:
        if isinstance(reply, Exception):
            return  # it is kept, and said again
        if self._kept and self._kept[0] is post:
            self._drop()
        for node in reply[1:]:
            self._gone(node.decode())

    def _drop(self) -> None:
        post = self._kept.popleft()
        self._count -= post.count
        self._size -= post.size
