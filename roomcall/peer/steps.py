"""The steps of a negotiation, one at a time: no two descriptions are in work at once."""

import asyncio
from collections.abc import Awaitable, Callable

from .effects import Effect

MAX_PENDING_STEPS = 256  # of one peer; what comes beyond is dropped

Step = Callable[[], list[Effect]]


class Steps:
    """Calls each step that is posted and has what it returns carried out, until it is stopped.
    There is one timer: a new one replaces the last."""

    def __init__(
        self,
        first: Step,
        carry_out: Callable[[list[Effect]], Awaitable[None]],
        on_drop: Callable[[], None],
        name: str,
    ) -> None:
        self._carry_out = carry_out
        self._on_drop = on_drop
        self._timer: asyncio.TimerHandle | None = None
        # None once it is stopped: a peer outlives its negotiation, as events name it.
        self._inbox: asyncio.Queue[Step] | None = asyncio.Queue(MAX_PENDING_STEPS)
        self._inbox.put_nowait(first)
        self._task: asyncio.Task[None] | None = asyncio.create_task(
            self._run(self._inbox), name=name
        )

    def post(self, step: Step) -> None:
        if self._inbox is None:
            return
        try:
            self._inbox.put_nowait(step)
        except asyncio.QueueFull:
            self._on_drop()

    def set_timer(self, seconds: float | None, step: Step) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self.post, step)

    async def stop(self) -> None:
        task, self._task, self._inbox = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _run(self, inbox: asyncio.Queue[Step]) -> None:
        while True:
            step = await inbox.get()
            await self._carry_out(step())
