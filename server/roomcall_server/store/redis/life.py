"""The life of a node: it enters, goes on while all is well, and comes back when it was not.

Rules of this file:
1. While it is away nothing is called of Redis but what brings it back.
2. Before it goes on after a break its former calls are refused (`fence`), and the stream is read to
   its end: what is not there has not happened, and does not happen later.
3. Records that were loaded may have come without some of the messages: then `lost` is called.
"""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import msgspec
from redis.exceptions import RedisError

from ...figures import StoreCalls
from ...logs import get_logger
from ..base import StoreError
from . import wire
from .address import TIMEOUT, Address, reason
from .flights import Flights
from .inbox import Gap, Inbox
from .leases import Observer
from .link import Broken, Link, Unsent
from .posts import Posts
from .replica import Replica
from .wire import Argument

BEAT = 1.0  # seconds from one sign of life to the next
LEASE = 5.0  # seconds without one, seen by another node, until a node is dead
STUCK = 5.0  # seconds after which an entry that does not come is missing
HOLE = 1.5  # seconds between two looks of which nothing can be concluded
UNCERTAIN = 5.0  # seconds after which a caller hears that a commit is uncertain
RETRY = 0.25  # seconds
BLOCK = 1.0  # seconds for which Redis keeps a reader waiting
AT_ONCE = 200  # entries, so that applying them keeps nobody waiting for long
LARGE = 30.0  # seconds for all records
JUMP = 1_000_000  # versions, so that none comes twice that another node has seen

log = get_logger("store")

Links = tuple[Link, Link]


class Life:
    """`node` is another one after each burial. `present` is set while it is well. `suspect`: the
    records are to be loaded anew."""

    def __init__(
        self,
        address: Address,
        replica: Replica,
        flights: Flights,
        inbox: Callable[[], Inbox],
        gone: Callable[[str], None],
    ) -> None:
        self.node = str(uuid4())
        self.figures = StoreCalls()
        self.present = asyncio.Event()
        self.link: Link | None = None
        self.suspect = False
        self.posts = Posts(self.standing, gone)
        self._address = address
        self._replica = replica
        self._flights = flights
        self._inbox = inbox
        self._epoch = b""
        self._generation = 0
        self._nodes: set[str] = set()
        self._loaded = False
        self._ended = False
        self._doubt: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def standing(self) -> tuple[Argument, ...]:
        """With what every call of it begins."""
        return self._epoch, self.node, self._generation

    async def begin(self) -> None:
        """Raises `StoreError`."""
        try:
            links = await self._links()
            try:
                await self._enter(links[0])
            except BaseException:
                await _close(links)
                raise
        except (RedisError, OSError, Broken, msgspec.DecodeError) as error:
            raise StoreError(self._address.explained(error)) from None
        self._go_on(links, 0)
        self._task = asyncio.create_task(self._run(links), name="roomcall-store")

    async def end(self) -> None:
        """Nobody is to look after us where we have left nothing."""
        self._ended = True
        link = self.link
        if link is not None and not self._replica.has_sessions_of(self.node):
            try:
                await link.request("leave", *self.standing())
            except (Broken, Unsent):
                log.debug("could not leave")
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.link = None
        self.present.clear()
        self._flights.settle(known=False)
        if self._doubt is not None:
            self._doubt.cancel()

    async def _run(self, links: Links) -> None:
        while True:
            gap = False
            try:
                await self._live(*links)
            except* Broken as broken:
                self._leave(broken.exceptions[0])
            except* Gap as found:
                gap = True
                self._leave(found.exceptions[0])
            except* Exception as failed:
                gap = True
                log.exception("store failed", exc_info=failed)
                self._leave(failed)
            finally:
                await _close(links)
            if self._ended:  # a task group that has failed forgets that it was cancelled
                return
            links = await self._return(gap)

    async def _live(self, link: Link, reader: Link) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(link.send())
            group.create_task(link.receive())
            group.create_task(self._read(reader))
            group.create_task(self._beat(link))

    async def _read(self, reader: Link) -> None:
        block = ("BLOCK", int(BLOCK * 1000))
        while True:
            await self._take(reader, *block)

    async def _take(self, reader: Link, *block: Argument) -> bool:
        """Apply what is there, or comes: was there something?"""
        reply = await reader.read(
            *("XREAD", "COUNT", AT_ONCE, *block, "STREAMS"),
            *(f"{self._address.prefix}node:{self.node}", f"{self._replica.position}-0"),
            timeout=BLOCK + TIMEOUT,
        )
        if not reply:
            return False
        self._inbox().take(reply[0][1])
        return True

    async def _beat(self, link: Link) -> None:
        observer = Observer(LEASE, HOLE)
        loop = asyncio.get_running_loop()
        replica = self._replica
        position = stuck = 0
        while True:
            position_then, position = position, replica.position
            at = (replica.version, position)
            _, last, beats = await link.request("beat", *self.standing(), *at)
            stuck = stuck + 1 if position_then == position < last else 0
            if self.suspect:
                raise Gap("records are not those of Redis")
            if stuck * BEAT >= STUCK:
                raise Gap(f"entry {position + 1} does not come")
            nodes = wire.beats(beats)
            self._nodes = set(nodes)
            for dead in observer.look(loop.time(), nodes):
                await self._bury(link, dead, nodes[dead])
            await asyncio.sleep(BEAT)

    async def _bury(self, link: Link, dead: str, beats: int) -> None:
        said, *last = await link.request("bury", *self.standing(), dead, beats)
        if said != b"ok":
            return
        log.warning("node is dead", node=dead)
        self._nodes.discard(dead)
        # Also those whose former burier died before it had looked after them.
        left = self._replica.nodes() - self._nodes | {dead}

        def look_after() -> None:
            for node in sorted(left):
                self._inbox().listeners.buried(node)

        self._inbox().after(last[0], look_after)

    def _leave(self, why: BaseException) -> None:
        if not self.present.is_set():
            return
        log.error("store away", store=self._address.text, error=str(why))
        self.present.clear()
        self.link = None
        self.posts.leave()
        loop = asyncio.get_running_loop()
        self._doubt = loop.call_later(max(0.0, UNCERTAIN - TIMEOUT), self._flights.doubt)

    def _go_on(self, links: Links, posted: int) -> None:
        if self._doubt is not None:
            self._doubt.cancel()
        self.link = links[0]
        self.posts.go_on(links[0], posted)
        self.present.set()

    async def _return(self, gap: bool) -> Links:
        while True:
            try:
                links = await self._links()
                try:
                    posted, lost = await self._come_back(links, gap)
                except BaseException:
                    await _close(links)
                    raise
            except (RedisError, OSError, Broken, Gap, msgspec.DecodeError) as error:
                log.debug("still away", error=reason(error))
                await asyncio.sleep(RETRY)
            else:
                break
        self._go_on(links, posted)
        log.info("store back", store=self._address.text, lost=lost)
        if lost:
            try:
                self._inbox().listeners.lost()
            except Exception:
                log.exception("clients not told that they may have missed something")
        return links

    async def _come_back(self, links: Links, gap: bool) -> tuple[int, bool]:
        """Up to which number its posts have been made, and whether messages may be lost."""
        link, reader = links
        replica = self._replica
        at = (replica.version, replica.position)
        said, *rest = await link.once("fence", self._epoch, self.node, *at)
        if said == b"ok":
            self._generation, last, posted = rest
            if gap or not self._loaded or not await self._catch_up(reader, last):
                await self._load(link, self._epoch)
                self._flights.settle(known=False)
                return posted, True
            self._flights.settle(known=True)
            return posted, False
        if said == b"buried":
            log.warning("this node was taken for dead: it begins anew")
            self.node, self._loaded = str(uuid4()), False
        elif self._loaded and rest[0] in (b"", self._epoch):
            await self._restore(link, rest[0])
        self.posts.clear()
        self._inbox().forget()
        self._flights.settle(known=False)
        await self._enter(link)
        return 0, True

    async def _catch_up(self, reader: Link, last: int) -> bool:
        try:
            while self._replica.position < last:
                if not await self._take(reader):
                    return False
        except Gap as gap:
            log.warning("gap in the stream", error=str(gap))
            return False
        return True

    async def _restore(self, link: Link, seen: bytes) -> None:
        """Redis has lost what it had: give it what we have, unless somebody else does."""
        records = self._replica.restoring(self._nodes | {self.node})
        version = self._replica.version + JUMP
        said = await link.once("restore", seen, str(uuid4()), version, *records, timeout=LARGE)
        log.warning("Redis had lost its memory", restored=said[0] == b"ok")

    async def _enter(self, link: Link) -> None:
        epoch, self._generation = await link.once("enter", str(uuid4()), self.node)
        await self._load(link, epoch)
        self._epoch = epoch  # only now: who has not loaded a state does not speak for it

    async def _load(self, link: Link, epoch: bytes) -> None:
        snapshot = wire.snapshot(await link.once("snapshot", self.node, timeout=LARGE))
        if snapshot.epoch != epoch:
            raise Broken("its state has changed meanwhile")
        self._inbox().load(snapshot)
        self._loaded, self.suspect = True, False

    async def _links(self) -> Links:
        link = await Link.open(self._address, self.figures)
        try:
            return link, await Link.open(self._address, self.figures)
        except BaseException:
            await link.close()
            raise


async def _close(links: Links) -> None:
    for link in links:
        await link.close()
