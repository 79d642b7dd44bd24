"""Questions of this node to others, and theirs to it."""

import asyncio
from collections.abc import Callable
from itertools import count

from ...logs import get_logger
from ..base import Answer, StoreAway
from .posts import Posts
from .wire import Answered, Question

PATIENCE = 1.0  # seconds for an answer
MAX_ASKED = 1000  # questions of others at a time; more are met with silence

log = get_logger("store")


class Asking:
    """Whoever is asked answers beside all else, in a task that is cancelled by `close`."""

    def __init__(self, posts: Callable[[], Posts]) -> None:
        self._posts = posts
        self._answer: Answer | None = None
        self._ids = count(1)
        self._open: dict[int, tuple[str, asyncio.Future[bytes]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, answer: Answer) -> None:
        self._answer = answer

    async def ask(self, node: str, message: bytes) -> bytes:
        """As `Store.ask`."""
        self._posts().check()
        id, reply = next(self._ids), asyncio.get_running_loop().create_future()
        self._open[id] = node, reply
        self._posts().add(node, Question(id, message), len(message))
        try:
            async with asyncio.timeout(PATIENCE):
                return bytes(await reply)
        finally:
            del self._open[id]

    def gone(self, node: str) -> None:
        for asked, reply in self._open.values():
            if asked == node and not reply.done():
                reply.set_exception(StoreAway())

    def answered(self, answer: Answered) -> None:
        _, reply = self._open.get(answer.id, ("", None))
        if reply is not None and not reply.done():
            reply.set_result(answer.message)

    def asked(self, node: str, question: Question) -> None:
        if self._answer is None or len(self._tasks) >= MAX_ASKED:
            return
        task = asyncio.create_task(self._reply(self._answer, node, question))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reply(self, answer: Answer, node: str, question: Question) -> None:
        try:
            message = await answer(node, question.message)
            self._posts().check()
        except StoreAway:
            return
        except Exception:
            log.exception("question not answered", node=node)
            return
        self._posts().add(node, Answered(question.id, message), len(message))
