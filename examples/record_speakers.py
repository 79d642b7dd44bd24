"""A bot that writes down who speaks: a WAV file for each time that somebody does.

roomcall run examples/record_speakers.py standup
"""

import wave
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing

import av

import roomcall

LOUD = 1000  # of 32,767
PAUSE = 0.5  # seconds of silence that end a speech
BEFORE = 10  # frames that are kept from before it is loud


class SpeakerRecorder(roomcall.Bot):
    speeches = 0

    async def on_track_added(self, event: roomcall.TrackAdded) -> None:
        if event.kind != "audio":
            return
        async with aclosing(event.track.frames()) as frames:
            before: deque[bytes] = deque(maxlen=BEFORE)
            async for frame in frames:
                before.append(samples(frame))
                if is_loud(before[-1]):
                    await self.write_speech(event.name, before, frames)

    async def write_speech(
        self, name: str, before: deque[bytes], frames: AsyncIterator[object]
    ) -> None:
        self.speeches += 1
        path = f"speech-{self.speeches}.wav"
        with wave.open(path, "wb") as file:
            file.setparams((2, 2, 48_000, 0, "NONE", ""))
            file.writeframes(b"".join(before))
            quiet = 0.0
            async for frame in frames:
                sound = samples(frame)
                file.writeframes(sound)
                quiet = 0 if is_loud(sound) else quiet + len(sound) / 4 / 48_000
                if quiet > PAUSE:
                    break
            print(f"{name} has spoken: {path}, {file.getnframes() / 48_000:.1f} s", flush=True)
        before.clear()


def samples(frame: object) -> bytes:
    assert isinstance(frame, av.AudioFrame)
    return bytes(frame.planes[0])[: frame.samples * 4]


def is_loud(sound: bytes) -> bool:
    return max(memoryview(sound).cast("h"), default=0) > LOUD
