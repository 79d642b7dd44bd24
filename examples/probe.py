"""A probe for monitoring: do pictures of everybody in a room move?

python examples/probe.py standup --server http://127.0.0.1:8080 --members 2

Prints one line, and exits as monitoring plugins do: 0 is OK, 2 is CRITICAL.
"""

import argparse
import asyncio
import sys

import roomcall


class Probe(roomcall.Bot):
    """Leaves when it knows that all is well."""

    def __init__(self, members: int) -> None:
        self.members = members
        self.rates: list[float] = []  # pictures a second
        self.troubles: list[str] = []

    async def on_stats_updated(self, event: roomcall.StatsUpdated) -> None:
        inbound = [stats.get("video", {}).get("inbound", {}) for stats in event.peers.values()]
        self.rates = [rate for each in inbound if (rate := each.get("framesPerSecond"))]
        if len(self.rates) >= self.members:
            await self.call.leave()

    async def on_peer_failed(self, event: roomcall.PeerFailed) -> None:
        self.troubles.append(f"{event.name}: {event.reason}")


async def probe(room: str, server: str, members: int, within: float) -> tuple[int, str]:
    bot = Probe(members)
    try:
        async with asyncio.timeout(within):
            await bot.run(room, server=server, create=False, stats_interval=1)
    except (roomcall.RoomcallError, TimeoutError) as error:
        if isinstance(error, roomcall.RoomcallError):
            bot.troubles.append(str(error))
    seen = f"{len(bot.rates)} of {members} pictures move"
    if len(bot.rates) < members:
        return 2, f"CRITICAL: {'; '.join([seen, *bot.troubles])}"
    return 0, f"OK: {seen} | fps={min(bot.rates):g}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--within", type=float, default=20, help="seconds")
    given = parser.parse_args()
    code, line = asyncio.run(probe(given.room, given.server, given.members, given.within))
    print(line)
    sys.exit(code)
