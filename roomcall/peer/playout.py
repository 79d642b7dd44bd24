"""One clock for a peer's picture and sound. Pure.

Rule 1. The peer's clock starts at 0 with the first frame that comes from it, of either kind.
Rule 2. RTP time stamps of the two kinds have nothing to do with each other until sender reports tie
        both to the sender's own clock (RFC 3550 section 6.4.1); until then arrival has to do.
Rule 3. The first kind that gets its report keeps its time and becomes the reference; the other kind
        is set by its own report. Later reports move time smoothly (a sound card's clock drifts).
Rule 4. The time of a kind never goes back by a correction.
Rule 5. Where the peer's clock stands on ours is told by the frame that was least delayed on its
        way: the clocks of several peers have that in common, and what they send can be laid side
        by side.
"""

from dataclasses import dataclass

_SMOOTHING = 0.1  # the share of a later report's correction that is applied
_STEP = 0.5  # seconds; a correction larger than this is a new clock, not drift


@dataclass(slots=True)
class _Stream:
    clock_rate: int
    offset: float  # peer's time = timestamp / clock_rate + offset
    transit: float  # the least of arrival - timestamp / clock_rate
    reported: bool = False
    latest: float = float("-inf")
    latest_timestamp: int = 0


class PlayoutClock:
    """Maps RTP time stamps of a peer's streams to seconds on one clock."""

    def __init__(self) -> None:
        self._start: float | None = None
        self._streams: dict[str, _Stream] = {}
        self._sender_offset: float | None = None  # peer's time = sender's NTP seconds + this

    def time(self, kind: str, clock_rate: int, timestamp: int, arrival: float) -> float:
        """Seconds for an unwrapped time stamp. `arrival` is `loop.time()`."""
        if self._start is None:
            self._start = arrival
        stream = self._streams.get(kind)
        if stream is None:
            offset = arrival - self._start - timestamp / clock_rate
            transit = arrival - timestamp / clock_rate
            stream = self._streams[kind] = _Stream(clock_rate, offset, transit)
        stream.transit = min(stream.transit, arrival - timestamp / clock_rate)
        time = timestamp / clock_rate + stream.offset
        if timestamp > stream.latest_timestamp:  # out of order frames keep their own time
            time = max(time, stream.latest)
            stream.latest, stream.latest_timestamp = time, timestamp
        elif stream.latest == float("-inf"):
            stream.latest, stream.latest_timestamp = time, timestamp
        return time

    def is_tied(self, kind: str) -> bool:
        """Whether a sender report has tied this kind to the peer's clock."""
        return kind in self._streams and self._streams[kind].reported

    def at(self, kind: str, timestamp: int) -> float | None:
        """Seconds for a time stamp as it is known now; None where nothing of the kind came."""
        stream = self._streams.get(kind)
        return None if stream is None else timestamp / stream.clock_rate + self._offset_of(stream)

    @property
    def origin(self) -> float | None:
        """`loop.time()` at the peer's time 0; None before its first frame."""
        streams = self._streams.values()
        tied = [stream for stream in streams if stream.reported] or streams
        return min((stream.transit - stream.offset for stream in tied), default=None)

    def report(self, kind: str, ntp: float, rtp_timestamp: int) -> None:
        """A sender report: at `ntp` seconds the stream stood at `rtp_timestamp` (32 bit)."""
        stream = self._streams.get(kind)
        if stream is None:
            return  # nothing of it has come yet; the next report will do
        # The report's 32 bits, unwrapped to stand near the latest frame.
        step = (rtp_timestamp - stream.latest_timestamp) & 0xFFFFFFFF
        timestamp = stream.latest_timestamp + (step if step < 1 << 31 else step - (1 << 32))
        if self._sender_offset is None:
            stream.offset = self._offset_of(stream)
            self._sender_offset = timestamp / stream.clock_rate + stream.offset - ntp
        correction = ntp + self._sender_offset - timestamp / stream.clock_rate - stream.offset
        first = not stream.reported
        stream.reported = True
        stream.offset += correction if first or abs(correction) > _STEP else correction * _SMOOTHING

    def _offset_of(self, stream: _Stream) -> float:
        assert self._start is not None, "a stream has a frame"
        return stream.offset if stream.reported else stream.transit - self._start

    def forget(self, kind: str) -> None:
        """The stream starts anew, as after a new connection; the clock goes on."""
        self._streams.pop(kind, None)
        if not any(stream.reported for stream in self._streams.values()):
            self._sender_offset = None
