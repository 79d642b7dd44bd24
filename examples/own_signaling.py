"""A call over a signaling of your own: here two peers in one program, and no server.

python examples/own_signaling.py
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import roomcall
from roomcall.signaling.base import MemberGone, MemberHere, Signal

# What your app has anyway: people by their id, and a way to each of them.
Hall = dict[str, asyncio.Queue[Any]]


class HallSignaling:
    def __init__(self, hall: Hall, name: str) -> None:
        self.hall, self.name = hall, name
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()

    async def connect(self) -> str:
        for other, inbox in self.hall.items():
            inbox.put_nowait(MemberHere(self.name, self.name))
            self.inbox.put_nowait(MemberHere(other, other, before=True))
        self.hall[self.name] = self.inbox
        return self.name

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        if to in self.hall:
            self.hall[to].put_nowait(Signal(self.name, message))

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (event := await self.inbox.get()) is not None:
            yield event

    async def close(self) -> None:
        if self.hall.pop(self.name, None):
            for inbox in self.hall.values():
                inbox.put_nowait(MemberGone(self.name))
            self.inbox.put_nowait(None)


async def main() -> None:
    hall: Hall = {}
    ann, bob = HallSignaling(hall, "ann"), HallSignaling(hall, "bob")
    async with roomcall.join("hall", signaling=ann, video="testsrc"):
        async with roomcall.join("hall", signaling=bob) as call:
            met = await call.wait_for(roomcall.PeerConnected, 20)
            print(f"bob is connected to {met.name} after {met.seconds * 1000:.0f} ms")
            seen = await call.wait_for(roomcall.FirstFrame, 20, kind="video")
            print(f"bob sees {seen.name}: {seen.width}×{seen.height} after {seen.seconds:.1f} s")


if __name__ == "__main__":
    asyncio.run(main())
