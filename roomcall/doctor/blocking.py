"""Calls that may hang: a name server that is silent, a network drive that is gone."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
A = TypeVarTuple("A")


async def in_thread(function: Callable[[*A], T], *arguments: *A) -> T:
    """As `asyncio.to_thread`, but one that hangs delays neither a timeout nor the process's end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            act(value)

    def run() -> None:
        act: Callable[[Any], None] = future.set_result
        try:
            value: Any = function(*arguments)
        except Exception as error:
            act, value = future.set_exception, error
        try:
            loop.call_soon_threadsafe(settle, act, value)
        except RuntimeError:
            pass  # the loop has ended: nobody waits any more

    threading.Thread(target=run, daemon=True, name="roomcall-doctor").start()
    return await future
