"""How long it takes until three peers are all connected, in calls one after the other, each with a
server of its own, as a test with the fixture `mesh(3)` has them; and whether one ever fails.

`make bench BENCH=meshes` does 300 of them; `ARGS="--runs 20"` is a quick look.
"""

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from statistics import median, quantiles

import roomcall
import roomcall_server
from roomcall_cli.fixtures.media import meet

NAMES = ("ann", "bob", "cem")
TIMEOUT = 20.0  # seconds


async def run() -> float:
    """Seconds from the first join. Raises `AssertionError` with who is not connected."""
    async with roomcall_server.serve(port=0) as server, AsyncExitStack() as stack:
        began = time.perf_counter()
        calls = [
            await stack.enter_async_context(
                roomcall.join("mesh", server=server.url, name=name, video="testsrc")
            )
            for name in NAMES
        ]
        await meet(calls, NAMES, TIMEOUT)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    count = parser.parse_args().runs
    seconds: list[float] = []
    for number in range(1, count + 1):
        try:
            seconds.append(asyncio.run(run()))
        except (AssertionError, roomcall.RoomcallError) as error:
            print(f"run {number} of {count} failed: {error}")
            sys.exit(1)
    late = quantiles(seconds, n=20)[-1] if count > 1 else seconds[0]
    print(f"mesh(3), {count} runs in a row, none failed")
    print(f"  median {median(seconds):.2f} s   p95 {late:.2f} s   longest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
