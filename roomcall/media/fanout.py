"""One source to all peers: encoded once a codec, handed to every peer through a queue of its own.

    source -> Publication (a kind) -> Encoding (a codec, in a thread) -> Subscription (a peer)

A source that gives packets in a codec has them handed on as they are; only for peers who need
another codec they are decoded.

Rule 1. A further peer costs its packets, nothing else.
Rule 2. A slow peer delays nobody: its queue is bounded; when it is full, a picture's backlog is
        dropped and the peer resumes at its next key frame, of a sound the oldest packet is dropped.
Rule 3. A source of packets cannot make a key frame. Who comes later gets what was sent since the
        last one, at once; who has lost something waits for the next.
Rule 4. A subscription never ends and never raises by itself: aiortc's sender would be dead.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import av

from .decoder import Decoder
from .encoder import EncodedPacket, make_encoder
from .keyframes import KeyFrameRequests
from .source import Kind, PacketSource, Source, SourceEnded

logger = logging.getLogger(__name__)

# Packets a peer may lag behind: half a second of picture at 30 fps, one second of sound.
QUEUE_LENGTH: dict[str, int] = {"video": 15, "audio": 50}
MAX_PASSED = 300  # packets from one key frame of a source to the next, for those who come later


class Subscription:
    """One peer's packets of one encoding."""

    def __init__(self, encoding: "Encoding") -> None:
        self._encoding = encoding
        self._limit = QUEUE_LENGTH[encoding.kind]
        self._queue: deque[EncodedPacket] = deque()
        self._arrived = asyncio.Event()
        self._await_key_frame = encoding.kind == "video"
        self._ahead = 0  # packets that it was given to begin with
        self.dropped = 0

    def begin_with(self, packets: "Sequence[EncodedPacket]") -> None:
        """From a key frame up to now."""
        if packets:
            self._await_key_frame = False
            self._ahead = len(packets)
            self._queue.extend(packets)
            self._arrived.set()

    def await_key_frame(self) -> None:
        """What comes does not build on what came."""
        self._await_key_frame = self._encoding.kind == "video"

    def push(self, packet: EncodedPacket) -> None:
        if self._await_key_frame:
            if not packet.is_keyframe:
                self.dropped += 1
                return
            self._await_key_frame = False
        if not self._queue:
            self._ahead = 0
        if len(self._queue) >= self._limit + self._ahead:
            self._overflow(packet)
        if not self._await_key_frame:
            self._queue.append(packet)
            self._arrived.set()

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

    async def next(self) -> EncodedPacket:
        """The next packet. Waits as long as there is none."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        return self._queue.popleft()

    def request_key_frame(self) -> None:
        """The peer cannot go on without one (PLI, FIR)."""
        self._encoding.key_frames.request()

    def close(self) -> None:
        self._encoding.unsubscribe(self)


class Encoding:
    """One encoder and who gets its packets."""

    def __init__(self, kind: Kind, codec: str, bitrate: int | None, unused: Callable[[str], None]):
        self.kind = kind
        self.codec = codec
        self.key_frames = KeyFrameRequests()
        self._encoder = make_encoder(codec, bitrate)
        self._passed: list[EncodedPacket] = []  # since the last key frame
        self._subscriptions: set[Subscription] = set()
        self._unused = unused
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"roomcall-encode-{codec}")

    def subscribe(self) -> Subscription:
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
        subscription.begin_with(self._passed)
        self.key_frames.request(newcomer=True)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        if not self._subscriptions:
            self._unused(self.codec)

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
        for subscription in self._subscriptions:
            subscription.push(packet)

    def close(self) -> None:
        self._thread.shutdown(wait=False)


class Publication:
    """What this peer sends of one kind: pumps the source, for as long as it lasts."""

    def __init__(
        self,
        kind: Kind,
        source: Source | None = None,
        *,
        bitrate: int | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.ended = False
        self.muted = False  # then the source goes on and nothing of it is sent
        self._source = source
        self._bitrate = bitrate
        self._on_end = on_end
        self._encodings: dict[str, Encoding] = {}
        self._decoder: Decoder | None = None  # for peers who cannot take the source's packets
        self._pump: asyncio.Task[None] | None = None

    @property
    def sends(self) -> bool:
        """Whether there is a source."""
        return self._source is not None

    @property
    def codec(self) -> str | None:
        """RTP's name of what the source gives already encoded."""
        return self._source.codec if isinstance(self._source, PacketSource) else None

    def start(self) -> None:
        if self._source is not None:
            run = self._run(self._source)
            self._pump = asyncio.create_task(run, name=f"roomcall-publish-{self.kind}")

    async def change(self, source: Source | None) -> None:
        """Another source in the place of the one so far, which is closed; None: nothing is sent.

        All sources keep the time of the event loop, so that time goes on for the receivers.
        """
        await self._stop()
        self._source, self.ended = source, False
        self._break_off()
        self.start()

    def subscribe(self, codec: str) -> Subscription:
        """Packets in an RTP codec (`H264`, `VP8`, `opus`). Raises `ValueError` for another one."""
        encoding = self._encodings.get(codec)
        if encoding is None:
            encoding = Encoding(self.kind, codec, self._bitrate, self._discard)
            self._encodings[codec] = encoding
        return encoding.subscribe()

    def _discard(self, codec: str) -> None:
        self._encodings.pop(codec).close()

    async def _run(self, source: Source) -> None:
        try:
            while True:
                item = await source.recv()
                if isinstance(item, av.Packet):
                    assert isinstance(source, PacketSource)
                    await self._take_packet(item, source.codec)
                elif not self.muted:
                    await self._encode(item)
        except SourceEnded:
            self.ended = True
            if self._on_end is not None:
                self._on_end()
        except (av.FFmpegError, ValueError) as error:
            self.ended = True
            logger.error("%s cannot be encoded: %s", self.kind, error)

    async def _encode(self, frame: av.VideoFrame | av.AudioFrame, but: str = "") -> None:
        for codec, encoding in list(self._encodings.items()):
            # It may go while another works.
            if codec != but and self._encodings.get(codec) is encoding:
                await encoding.encode(frame)

    async def _take_packet(self, packet: EncodedPacket, codec: str) -> None:
        if self.muted:
            return self._break_off()
        if (encoding := self._encodings.get(codec)) is not None:
            encoding.pass_on(packet)
        if self._encodings.keys() - {codec}:
            if self._decoder is None:
                self._decoder = Decoder(self.kind, codec)
            assert packet.pts is not None, "a source stamps its packets"
            time = float(packet.pts * packet.time_base)
            for frame in await self._decoder.decode(bytes(packet), time) or ():
                await self._encode(frame, but=codec)
        elif self._decoder is not None:
            self._end_decoder()

    def _break_off(self) -> None:
        for encoding in self._encodings.values():
            encoding.break_off()

    def _end_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    async def close(self) -> None:
        await self._stop()
        for codec in list(self._encodings):
            self._discard(codec)

    async def _stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None
        self._end_decoder()
        if self._source is not None:
            await self._source.close()
