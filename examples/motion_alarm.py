"""A bot that says in the chat where something moves, once in ten seconds at most. Needs numpy.

roomcall run examples/motion_alarm.py standup
"""

import asyncio

import av
import numpy as np

import roomcall

LOOKS = 4  # a second
DIFFERENT = 20  # levels of grey, of 256
SHARE = 0.002  # of all pixels that have to be different
SILENCE = 10.0  # seconds


class MotionAlarm(roomcall.Bot):
    async def on_track_added(self, event: roomcall.TrackAdded) -> None:
        if event.kind != "video":
            return
        before: np.ndarray | None = None
        looked, told = -1.0, -SILENCE
        async for frame in event.track.frames():
            assert isinstance(frame, av.VideoFrame) and frame.time is not None
            if frame.time < looked + 1 / LOOKS:
                continue
            looked = frame.time
            # Every fourth pixel of every fourth line will do.
            grey = frame.to_ndarray(format="gray")[::4, ::4].astype(np.int16)
            if before is not None and before.shape == grey.shape:
                moved = float(np.mean(np.abs(grey - before) > DIFFERENT))
                if moved > SHARE and frame.time > told + SILENCE:
                    told = frame.time
                    await self.call.chat(f"{event.name}: something moves ({moved:.1%})")
            before = grey


if __name__ == "__main__":
    asyncio.run(MotionAlarm().run("standup"))
