"""Send a video file to everybody in a room, once, and say how well it arrived.

python examples/send_file.py standup cam.mp4 --server http://127.0.0.1:8080
"""

import argparse
import asyncio
import contextlib

import roomcall


async def send(room: str, file: str, server: str) -> None:
    async with roomcall.join(
        room, server=server, name="sender", video=file, loop=False, stats_interval=1
    ) as call:
        async for event in call:
            match event:
                case roomcall.PeerConnected(name=name, seconds=seconds):
                    say(f"connected to {name} in {seconds * 1000:.0f} ms")
                case roomcall.PeerFailed(name=name, reason=reason):
                    say(f"not connected to {name}: {reason}")
                case roomcall.StatsUpdated(peers=peers):
                    for id, stats in peers.items():
                        sent = stats.get("video", {}).get("outbound", {})
                        if sent and id in call.peers:
                            again = sent["retransmittedPacketsSent"]
                            frames = sent["framesSent"]
                            say(f"{call.peers[id].name}: {frames} pictures, {again} packets again")
                case roomcall.Left(reason=reason, seconds=seconds):
                    say(f"left after {seconds:.1f} s: {reason}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room")
    parser.add_argument("file")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(send(arguments.room, arguments.file, arguments.server))
