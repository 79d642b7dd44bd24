"""One source to all peers: encoded once a codec, handed to every peer through a queue of its own.

    source -> Publication (a kind) -> Encoding (a codec, in a thread) -> Subscription (a peer)

Rule 1. A further peer costs its packets, nothing else.
Rule 2. A slow peer delays nobody: its queue is bounded; when it is full, a picture's backlog is
        dropped and the peer resumes at its next key frame, of a sound the oldest packet is dropped.
Rule 3. A subscription never ends and never raises by itself: aiortc's sender would be dead.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import av

from .encoder import EncodedPacket, make_encoder
from .keyframes import KeyFrameRequests
from .source import AudioSource, Kind, SourceEnded, VideoSource

logger = logging.getLogger(__name__)

# Packets a peer may lag behind: half a second of picture at 30 fps, one second of sound.
QUEUE_LENGTH: dict[str, int] = {"video": 15, "audio": 50}


class Subscription:
    """One peer's packets of one encoding."""

    def __init__(self, encoding: "Encoding") -> None:
        self._encoding = encoding
        self._limit = QUEUE_LENGTH[encoding.kind]
        self._queue: deque[EncodedPacket] = deque()
        self._arrived = asyncio.Event()
        self._await_key_frame = encoding.kind == "video"
        self.dropped = 0

    def push(self, packet: EncodedPacket) -> None:
        if self._await_key_frame:
            if not packet.is_keyframe:
                self.dropped += 1
                return
            self._await_key_frame = False
        if len(self._queue) >= self._limit:
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
        self._subscriptions: set[Subscription] = set()
        self._unused = unused
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"roomcall-encode-{codec}")

    def subscribe(self) -> Subscription:
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
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
            for subscription in self._subscriptions:
                subscription.push(packet)

    def close(self) -> None:
        self._thread.shutdown(wait=False)


class Publication:
    """What this peer sends of one kind: pumps the source, for as long as it lasts."""

    def __init__(
        self,
        kind: Kind,
        source: VideoSource | AudioSource | None = None,
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
        self._pump: asyncio.Task[None] | None = None

    @property
    def sends(self) -> bool:
        """Whether there is a source."""
        return self._source is not None

    def start(self) -> None:
        if self._source is not None:
            run = self._run(self._source)
            self._pump = asyncio.create_task(run, name=f"roomcall-publish-{self.kind}")

    async def change(self, source: VideoSource | AudioSource | None) -> None:
        """Another source in the place of the one so far, which is closed; None: nothing is sent.

        All sources keep the time of the event loop, so that time goes on for the receivers.
        """
        await self._stop()
        self._source, self.ended = source, False
        for encoding in self._encodings.values():
            encoding.key_frames.request()
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

    async def _run(self, source: VideoSource | AudioSource) -> None:
        try:
            while True:
                frame = await source.recv()
                if self.muted:
                    continue
                for codec, encoding in list(self._encodings.items()):
                    if self._encodings.get(codec) is encoding:  # it may go while another works
                        await encoding.encode(frame)
        except SourceEnded:
            self.ended = True
            if self._on_end is not None:
                self._on_end()
        except (av.FFmpegError, ValueError) as error:
            self.ended = True
            logger.error("%s cannot be encoded: %s", self.kind, error)

    async def close(self) -> None:
        await self._stop()
        for codec in list(self._encodings):
            self._discard(codec)

    async def _stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None
        if self._source is not None:
            await self._source.close()
