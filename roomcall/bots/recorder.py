"""A bot that writes what comes."""

import os

from ..bot import Bot
from ..call import Call
from ..errors import RecordingError
from ..recording.recorder import Recording


class Recorder(Bot):
    """Records the call into `folder`, as `Call.record` does. `run` raises `RecordingError` where it
    cannot, or where a file of it could not be written."""

    recording: Recording

    def __init__(self, folder: "str | os.PathLike[str]", *, segment: float | None = None) -> None:
        self.folder = folder
        self.segment = segment

    async def follow(self, call: Call) -> None:
        self.call = call
        self.recording = await call.record(self.folder, segment=self.segment)
        await super().follow(call)
        if self.recording.failures:
            raise RecordingError(str(self.folder), self.recording.failures[0])
