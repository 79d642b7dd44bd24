"""Watch a room: who comes and goes, and the size and rate of the pictures that arrive.

python examples/watch_room.py standup --server http://127.0.0.1:8080
"""

import argparse
import asyncio
import contextlib

import av

import roomcall


async def watch(room: str, server: str) -> None:
    async with (
        roomcall.join(room, server=server, name="watcher") as call,
        asyncio.TaskGroup() as tasks,
    ):
        async for event in call:
            match event:
                case roomcall.MemberJoined(name=name):
                    say(f"{name} is here")
                case roomcall.MemberLeft(name=name, reason=reason):
                    say(f"{name} is gone: {reason}")
                case roomcall.TrackAdded(track=track) if track.kind == "video":
                    tasks.create_task(measure(track))


async def measure(track: roomcall.RemoteTrack) -> None:
    """Each second, what came in it. The task ends when the peer leaves."""
    count, since = 0, 0.0
    async for frame in track.frames():  # decoded only because somebody looks
        assert isinstance(frame, av.VideoFrame) and frame.time is not None
        if not count:
            since = frame.time
        elif frame.time - since >= 1:
            fps = count / (frame.time - since)
            say(f"{track.peer.name}: {frame.width}×{frame.height}, {fps:.0f} pictures a second")
            count, since = 0, frame.time
        count += 1


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(arguments.room, arguments.server))
