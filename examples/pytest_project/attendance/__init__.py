"""Who is in a room, and whose picture has come."""

import asyncio

import roomcall


async def attendance(server: str, room: str, count: int, timeout: float = 20) -> dict[str, bool]:
    """The names of the first `count` members, and whether each shows a picture in time."""
    async with roomcall.join(room, server=server, name="attendance", create=False) as call:
        seen: dict[str, bool] = {}
        try:
            async with asyncio.timeout(timeout):
                async for event in call:
                    match event:
                        case roomcall.MemberJoined(name=name):
                            seen[name] = False
                        case roomcall.FirstFrame(name=name, kind="video"):
                            seen[name] = True
                    if len(seen) == count and all(seen.values()):
                        break
        except TimeoutError:
            pass
        return seen
