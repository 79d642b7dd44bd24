"""The store in a SQLite file, which outlives the process.

All records are in memory as well, so that rules read without waiting. A commit is written there at
once; what it tells waits until the file has it. One thread writes: all commits that came up while
the last transaction was under way are the next one. What is only told waits for those before it; a
signal waits for those of its room.

Where a transaction fails, it and all that waited are undone, whoever asked gets `StoreAway`, and so
does everybody until something can be written again. `roomcall_server.http` answers `/readyz` by
`available`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

from roomcall.protocol.replies import ChatMessage

from ..logs import get_logger
from ..rooms.outcome import Effect, Keep
from .alone import Alone
from .base import Commit, Inherited, KeptEvent, StoreAway
from .database import Database
from .records import Records

PROBE_EVERY = 1.0  # seconds, while the store is away

T = TypeVar("T")
log = get_logger("store")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A commit that is not written yet, or something to tell after one. `rooms`: whose order it is
    part of."""

    commit: Commit
    writes: bool
    rooms: tuple[str, ...]
    done: "asyncio.Future[None]"


class SqliteStore(Alone, Records):
    """Implements `Store`. What waits is bounded by who waits for it: a client at a time one."""

    def __init__(self, path: Path, history: int, days: float) -> None:
        super().__init__()
        self._database = Database(path, history, days)
        self._path = path
        self._inherited = Inherited()
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="roomcall-store")
        self._waiting: list[_Waiting] = []
        self._writing: list[_Waiting] = []
        self._rooms_waiting: Counter[str] = Counter()
        self._begun = False  # a transaction is under way, or begins with the loop's next tick
        self._present = asyncio.Event()
        self._present.set()
        self._probing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path, history: int, days: float = 30) -> Self:
        """`history`: how many chat messages a room keeps; `days`: how long events are kept.

        Raises `StoreError`.
        """
        self = cls(path, history, days)
        try:
            self._inherited, closed = await self._run(self._database.open)
        except BaseException:
            self._thread.shutdown()
            raise
        rooms = [room.left_behind() for room in self._inherited.rooms]
        self.fill(rooms, self._inherited.sessions, closed)
        return self

    async def inherited(self) -> Inherited:
        """With the versions that the records have now."""
        inherited, self._inherited = self._inherited, Inherited()
        return Inherited(
            rooms=tuple(self._rooms[room.id] for room in inherited.rooms),
            sessions=tuple(self._sessions[session.id] for session in inherited.sessions),
        )

    @property
    def available(self) -> bool:
        return self._present.is_set()

    async def returned(self) -> None:
        await self._present.wait()

    async def commit(self, commit: Commit) -> None:
        self._check_available()
        self.write(commit)
        rooms = tuple(room.id for w in commit.rooms if (room := w.after or w.before) is not None)
        await self._wait(commit, rooms, writes=True)

    async def publish(self, effects: Sequence[Effect], room: str | None = None) -> None:
        keeps = any(isinstance(effect, Keep) for effect in effects)
        if keeps:
            self._check_available()
        if keeps or (self._begun if room is None else room in self._rooms_waiting):
            rooms = () if room is None else (room,)
            await self._wait(Commit(effects=tuple(effects)), rooms, writes=keeps)
        else:
            self.tell(effects)

    async def chat(
        self, room: str, before: int | None, limit: int
    ) -> tuple[list[ChatMessage], bool]:
        return await self._ask(lambda: self._database.chat(room, before, limit))

    async def events(self, room: str | None, after: int, limit: int) -> list[KeptEvent]:
        return await self._ask(lambda: self._database.events(room, after, limit))

    async def purge(self, now: datetime) -> None:
        self._check_available()
        await self._ask(lambda: self._database.purge(now))
        self.forget_closed(now)

    async def close(self) -> None:
        while self._waiting or self._writing:
            await asyncio.wait([waiting.done for waiting in self._waiting + self._writing])
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
        await self._run(self._database.close)
        self._thread.shutdown()

    def _run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return self._loop.run_in_executor(self._thread, work)

    async def _ask(self, work: Callable[[], T]) -> T:
        """After all that was handed over before."""
        try:
            return await self._run(work)
        except Exception as error:
            log.error("cannot read", file=str(self._path), error=str(error))
            raise StoreAway from error

    def _check_available(self) -> None:
        if not self.available:
            raise StoreAway

    async def _wait(self, commit: Commit, rooms: tuple[str, ...], *, writes: bool) -> None:
        waiting = _Waiting(commit, writes, rooms, self._loop.create_future())
        self._waiting.append(waiting)
        self._rooms_waiting.update(rooms)
        if not self._begun:
            self._begun = True
            self._loop.call_soon(self._begin)  # with what else this tick of the loop commits
        await waiting.done

    def _begin(self) -> None:
        """The next transaction; what is only told needs none where nothing is before it."""
        told = 0
        while told < len(self._waiting) and not self._waiting[told].writes:
            told += 1
        first, self._writing, self._waiting = self._waiting[:told], self._waiting[told:], []
        self._begun = bool(self._writing)
        for waiting in first:
            self._finish(waiting)
        if self._writing:
            commits = [waiting.commit for waiting in self._writing if waiting.writes]
            self._run(lambda: self._database.write(commits)).add_done_callback(self._written)

    def _written(self, transaction: "asyncio.Future[None]") -> None:
        error = transaction.exception()
        if error is not None:
            return self._fail(error)
        written, self._writing = self._writing, []
        for waiting in written:
            self._finish(waiting)
        self._begin()

    def _finish(self, waiting: _Waiting) -> None:
        for room in waiting.rooms:
            self._rooms_waiting[room] -= 1
            if not self._rooms_waiting[room]:
                del self._rooms_waiting[room]
        self.applied(waiting.commit)
        if not waiting.done.done():
            waiting.done.set_result(None)

    def _fail(self, error: BaseException) -> None:
        log.error("cannot write", file=str(self._path), error=str(error))
        failed, self._writing, self._waiting = self._writing + self._waiting, [], []
        self._rooms_waiting.clear()
        self._begun = False
        for waiting in reversed(failed):
            self.undo(waiting.commit)
        for waiting in failed:
            if not waiting.done.done():
                waiting.done.set_exception(StoreAway())
        self._present.clear()
        self._probing = self._loop.create_task(self._probe(), name="roomcall-store")

    async def _probe(self) -> None:
        while True:
            await asyncio.sleep(PROBE_EVERY)
            try:
                await self._run(self._database.probe)
            except Exception as error:
                log.debug("still away", file=str(self._path), error=str(error))
            else:
                break
        self._present.set()
        log.info("can write again", file=str(self._path))
