"""One encoder of a track, and how every peer gets its packets."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf

import av

from .encoder import EncodedPacket, make_encoder
from .keyframes import MERGE_WINDOW, KeyFrameRequests
from .rates import HEADROOM, LOWER_LAYER, LOWEST, SLOW, LayerRate, PeerRate
from .source import Kind

# Packets that wait for a sender that has not begun: half a second of picture at 30 fps, one second
# of sound.
QUEUE_LENGTH: dict[str, int] = {"video": 15, "audio": 50}
PATIENT_WINDOW = 2.0  # seconds from one key frame that is asked for to the next
MEASURE = 1.0  # seconds
MAX_PASSED = 300  # packets from one key frame of a source to the next, for those who come later


# Takes a packet at once: it neither waits nor raises.
Taker = Callable[[EncodedPacket], None]


class Subscription:
    """One peer's packets of one encoding, which may be changed for another layer's."""

    def __init__(self, encoding: "Encoding", on_report: Callable[[], None]) -> None:
        self.rate = PeerRate()
        self._encoding = encoding
        self._on_report = on_report
        self._limit = QUEUE_LENGTH[encoding.kind]
        self._queue: deque[EncodedPacket] = deque()
        self._taker: Taker | None = None
        self._await_key_frame = encoding.kind == "video"
        self._ahead = 0  # packets that it was given to begin with
        self.dropped = 0

    def begin_with(self, packets: "Sequence[EncodedPacket]") -> None:
        """From a key frame up to now."""
        if packets:
            self._await_key_frame = False
            self._ahead = len(packets)
            self._queue.extend(packets)

    def move(self, encoding: "Encoding") -> None:
        """To another layer, at its next key frame."""
        old, self._encoding = self._encoding, encoding
        encoding.add(self)
        self.await_key_frame()
        old.remove(self)

    def on_loss(self, share: float) -> None:
        """The peer reports that it misses this share of the packets."""
        self.rate.lost(share)
        self._on_report()

    def on_bound(self, bitrate: int) -> None:
        """The peer reports that it can take so much."""
        self.rate.bound(bitrate)
        self._on_report()

    def await_key_frame(self) -> None:
        """What comes does not build on what came."""
        self._await_key_frame = self._encoding.kind == "video"

    def push(self, packet: EncodedPacket) -> None:
        if self._await_key_frame:
            if not packet.is_keyframe:
                self.dropped += 1
                return
            self._await_key_frame = False
        if self._taker is not None:
            return self._taker(packet)
        if len(self._queue) >= self._limit + self._ahead:
            self._overflow(packet)
        if not self._await_key_frame:
            self._queue.append(packet)

    def _overflow(self, packet: EncodedPacket) -> None:
        if self._encoding.kind == "audio":
            self._queue.popleft()
            self.dropped += 1
            return
        self.dropped += len(self._queue)
        self._queue.clear()
        if not packet.is_keyframe:
            self.dropped += 1
            self._await_key_frame = True
            self._encoding.key_frames.request()

    def feed(self, taker: Taker | None) -> None:
        """Call `taker` with what waits, and with each packet as it comes; None: they wait again.

        A call is all that a packet costs beside its sending: no task is woken for it.
        """
        self._taker = taker
        while self._queue and self._taker is not None:
            self._taker(self._queue.popleft())

    def request_key_frame(self, *, at_once: bool = False) -> None:
        """The peer cannot go on without one (PLI, FIR). `at_once`: as for one who comes anew."""
        self._encoding.key_frames.request(newcomer=at_once)

    def close(self) -> None:
        self._encoding.remove(self)


class Encoding:
    """One encoder and who gets its packets. `lower`: the lower layer of a picture."""

    def __init__(
        self,
        kind: Kind,
        codec: str,
        bitrate: int | None,
        unused: Callable[["Encoding"], None],
        *,
        lower: bool = False,
    ) -> None:
        self.kind = kind
        self.codec = codec
        self.lower = lower
        self.sent = 0.0  # bits a second, in the last while
        self.rate = LayerRate()
        # One who asks again and again must not cost the others' picture its quality.
        window = MERGE_WINDOW if lower else PATIENT_WINDOW
        self.key_frames = KeyFrameRequests(window)
        self._encoder = make_encoder(codec, bitrate, lower=lower)
        self._bits, self._measured = 0, asyncio.get_running_loop().time()
        self._passed: list[EncodedPacket] = []  # since the last key frame
        self._subscriptions: set[Subscription] = set()
        self._unused = unused
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"roomcall-encode-{codec}")

    @property
    def subscriptions(self) -> Collection[Subscription]:
        return self._subscriptions

    def subscribe(self, on_report: Callable[[], None]) -> Subscription:
        subscription = Subscription(self, on_report)
        self.add(subscription)
        subscription.begin_with(self._passed)
        return subscription

    def add(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)
        self.key_frames.request(newcomer=True)

    def remove(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        if not self._subscriptions:
            self._unused(self)

    def adapt(self, now: float, top: int) -> None:
        """To what its peers can take, of `top` at most."""
        self.rate.top = round(top * LOWER_LAYER) if self.lower else top
        # Who can take less than this of the upper layer does not get it.
        self.rate.lowest = LOWEST if self.lower else max(LOWEST, round(top * SLOW * HEADROOM))
        # Whoever comes to a lower layer was sent too much so far.
        sent = self.sent or (inf if self.lower else 0)
        peers = [peer.rate.bitrate(top, sent) for peer in self._subscriptions]
        bitrate = self.rate.decide(peers, now)
        if bitrate is not None:
            self._encoder.bitrate = bitrate

    @property
    def top(self) -> int:
        """The bitrate that it has when nobody is slow; 0 where that is not known yet."""
        return self._encoder.top or round(self.sent)

    def measure(self, now: float) -> None:
        """How much is sent."""
        if now - self._measured >= MEASURE:
            self.sent = self._bits / (now - self._measured)
            self._bits, self._measured = 0, now

    async def encode(self, frame: av.VideoFrame | av.AudioFrame) -> None:
        """Encode in the thread, then hand the packets to every peer."""
        loop = asyncio.get_running_loop()
        key_frame = self.kind == "video" and self.key_frames.due(loop.time())
        packets = await loop.run_in_executor(self._thread, self._encoder.encode, frame, key_frame)
        for packet in packets:
            if packet.is_keyframe:
                self.key_frames.made(loop.time())
            self._push(packet)

    def pass_on(self, packet: EncodedPacket) -> None:
        """A packet of the source, as it is."""
        if self.kind == "video":
            if packet.is_keyframe:
                self._passed = [packet]
                self.key_frames.made(asyncio.get_running_loop().time())
            elif self._passed:
                self._passed.append(packet)
                if len(self._passed) > MAX_PASSED:
                    self._passed = []  # until the next key frame nobody can begin
        self._push(packet)

    def break_off(self) -> None:
        """What comes next does not build on what came."""
        self._passed = []
        self.key_frames.request()
        for subscription in self._subscriptions:
            subscription.await_key_frame()

    def _push(self, packet: EncodedPacket) -> None:
        self._bits += packet.size * 8
        for subscription in self._subscriptions:
            subscription.push(packet)

    def close(self) -> None:
        self._thread.shutdown(wait=False)
