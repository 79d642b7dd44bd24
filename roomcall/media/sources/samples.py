"""Sound in pieces of any length to frames of 20 ms, on one count of samples.

Rule 1. The count has no gap and no overlap: what is missing becomes silence; of two parts that
        overlap, the end of the first is left out, as far as it has not been taken.
Rule 2. A piece that says where it belongs is believed only when it is over `TOLERANCE` away from
        the count, so that jitter of time stamps does not click; or where a new part begins.
Rule 3. Silence is made when it is taken: a gap of an hour costs no memory.
"""

from collections import deque

from ..source import AUDIO_CLOCK, AUDIO_SAMPLES

TOLERANCE = 0.040  # seconds
_BYTES = 4  # a sample: s16, stereo
_FRAME_BYTES = AUDIO_SAMPLES * _BYTES


class Samples:
    """Collects packed s16 stereo at 48 kHz.

    `reserve` samples are held back until the end, so that an overlap can be left out of them: the
    last frame of a codec is often longer than the sound in it.
    """

    def __init__(self, reserve: int = 0) -> None:
        self._reserve = reserve
        self._pieces: deque[bytes | int] = deque()  # sound, or a number of silent samples
        self._skip = 0  # samples that are still to be left out
        self._taken = 0
        self.written = 0  # samples up to the end of what was added

    def is_off(self, seconds: float) -> bool:
        """Whether a place is not where the count stands."""
        return abs(seconds - self.written / AUDIO_CLOCK) > TOLERANCE

    def align(self, seconds: float) -> None:
        """What is added next belongs at this place: fill the gap, or leave out the overlap."""
        drift = round(seconds * AUDIO_CLOCK) - self.written
        if drift > 0:
            self.add_silence(drift)
        self._skip = self._cut(-drift) if drift < 0 else 0

    def add(self, sound: bytes) -> None:
        skipped = min(self._skip, len(sound) // _BYTES)
        self._skip -= skipped
        sound = sound[skipped * _BYTES :]
        if sound:
            self._pieces.append(sound)
            self.written += len(sound) // _BYTES

    def add_silence(self, samples: int) -> None:
        self._pieces.append(samples)
        self.written += samples

    def take(self) -> bytes | None:
        """The next 20 ms; None where there is less."""
        if self.written - self._taken < AUDIO_SAMPLES + self._reserve:
            return None
        frame = bytearray()
        while len(frame) < _FRAME_BYTES:
            room = _FRAME_BYTES - len(frame)
            piece = self._pieces.popleft()
            if isinstance(piece, int):
                silent = min(piece, room // _BYTES)
                frame += bytes(silent * _BYTES)
                rest: bytes | int = piece - silent
            else:
                frame += piece[:room]
                rest = piece[room:]
            if rest:
                self._pieces.appendleft(rest)
        self._taken += AUDIO_SAMPLES
        return bytes(frame)

    def finish(self) -> bool:
        """The end: make the last frame whole with silence. False where nothing is left."""
        self._reserve = 0
        missing = -(self.written - self._taken) % AUDIO_SAMPLES
        if missing:
            self.add_silence(missing)
        return self.written > self._taken

    def _cut(self, samples: int) -> int:
        """Take samples off the end of what was added; how many there were not to take off."""
        while samples and self._pieces:
            piece = self._pieces.pop()
            length = piece if isinstance(piece, int) else len(piece) // _BYTES
            cut = min(length, samples)
            samples -= cut
            self.written -= cut
            if cut < length:
                rest = length - cut
                self._pieces.append(rest if isinstance(piece, int) else piece[: rest * _BYTES])
        return samples
