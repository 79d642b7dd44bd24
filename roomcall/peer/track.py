"""What a peer sends, for whoever looks: encoded packets, decoded frames, or nothing at all."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..media.decoder import Decoder
from ..media.source import Kind

if TYPE_CHECKING:
    import av

    from .peer import Peer

logger = logging.getLogger(__name__)

# What a consumer may lag behind; then the oldest is dropped. Pictures are large (1.4 MB at 720p).
FRAME_QUEUE = {"video": 8, "audio": 100}
PACKET_QUEUE = 256
DECODE_QUEUE = {"video": 30, "audio": 100}
_KEY_FRAME_RETRY = 1.0  # seconds between requests while none has come

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A whole frame as it came: `timestamp` is RTP's, unwrapped; `time` is in seconds on the clock
    that the peer's picture and sound share. `gap`: frames before it were lost for good."""

    data: bytes
    timestamp: int
    time: float
    keyframe: bool
    gap: bool = False


class _Consumer(Generic[Item]):
    """A bounded queue that drops the oldest, and counts what it dropped."""

    def __init__(self, length: int) -> None:
        self._items: deque[Item] = deque(maxlen=length)
        self._changed = asyncio.Event()
        self._ended = False
        self.dropped = 0

    def put(self, item: Item) -> None:
        self.dropped += len(self._items) == self._items.maxlen
        self._items.append(item)
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def get(self) -> Item | None:
        """The next item; None when it has ended and nothing is left."""
        while not self._items:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()


class RemoteTrack:
    """A picture or a sound of one peer. It outlives the connection that carries it: after a
    reconnection the same track goes on."""

    def __init__(
        self, peer: "Peer", kind: Kind, codec: str, request_key_frame: Callable[[], Awaitable[Any]]
    ) -> None:
        self.peer = peer
        self.kind: Kind = kind
        self.codec = codec
        self._request_key_frame = request_key_frame
        self._packet_consumers: list[_Consumer[EncodedFrame]] = []
        self._frame_consumers: list[_Consumer[Any]] = []
        self._decoding: asyncio.Task[None] | None = None
        self._ended = False
        self._gap = False

    def __repr__(self) -> str:
        return f"<RemoteTrack {self.kind} {self.codec} of {self.peer.name or self.peer.id}>"

    async def packets(self) -> AsyncGenerator[EncodedFrame, None]:
        """Encoded frames from now on, until the peer leaves. Any number of consumers at once; each
        may lag 256 frames, then loses the oldest, which the next one's `gap` says."""
        consumer: _Consumer[EncodedFrame] = _Consumer(PACKET_QUEUE)
        dropped = 0
        async with aclosing(self._consume(consumer, self._packet_consumers)) as items:
            async for item in items:
                lost, dropped = consumer.dropped != dropped, consumer.dropped
                yield replace(item, gap=True) if lost else item

    async def request_key_frame(self) -> None:
        """Ask the peer for a whole picture."""
        await self._request_key_frame()

    async def frames(self) -> AsyncGenerator["av.VideoFrame | av.AudioFrame", None]:
        """Decoded frames from now on, until the peer leaves; their `time` is in seconds on the
        clock that the peer's picture and sound share.

        A decoder exists only while somebody iterates, one for all consumers. Each may lag 8
        pictures or 100 sounds, then loses the oldest. Pictures begin with a key frame, which is
        asked for.
        """
        consumer: _Consumer[Any] = _Consumer(FRAME_QUEUE[self.kind])
        if not self._ended and self._decoding is None:
            self._decoding = asyncio.create_task(
                self._decode(), name=f"roomcall-decode-{self.kind}"
            )
        try:
            async with aclosing(self._consume(consumer, self._frame_consumers)) as items:
                async for item in items:
                    yield item
        finally:
            if not self._frame_consumers and self._decoding is not None:
                self._decoding.cancel()
                self._decoding = None

    async def _consume(
        self, consumer: _Consumer[Item], group: list[_Consumer[Item]]
    ) -> AsyncGenerator[Item, None]:
        if self._ended:
            return
        group.append(consumer)
        try:
            while (item := await consumer.get()) is not None:
                yield item
        finally:
            group.remove(consumer)

    def deliver(
        self, codec: str, data: bytes, timestamp: int, time: float, *, keyframe: bool
    ) -> None:
        """An encoded frame has come."""
        self.codec = codec
        if self._packet_consumers:
            frame = EncodedFrame(data, timestamp, time, keyframe, self._gap)
            for consumer in self._packet_consumers:
                consumer.put(frame)
        self._gap = False

    def lose(self) -> None:
        """Frames are lost for good: the next one does not follow the last."""
        self._gap = True

    def end(self) -> None:
        """The peer has left: every iteration ends."""
        self._ended = True
        for packets in self._packet_consumers:
            packets.end()
        if self._decoding is None:
            for frames in self._frame_consumers:
                frames.end()

    async def _decode(self) -> None:
        """Packets to frames in a thread, for all who iterate `frames()`."""
        packets: _Consumer[EncodedFrame] = _Consumer(DECODE_QUEUE[self.kind])
        decoder = Decoder(self.kind, self.codec)
        needs_key_frame = self.kind == "video"
        asked = float("-inf")
        dropped = 0
        self._packet_consumers.append(packets)
        try:
            while (packet := await packets.get()) is not None:
                if packet.gap or packets.dropped != dropped:
                    # Lost on the way, or here as decoding is too slow: go on at a whole picture.
                    dropped, needs_key_frame = packets.dropped, self.kind == "video"
                needs_key_frame = needs_key_frame and not packet.keyframe
                if needs_key_frame:
                    now = asyncio.get_running_loop().time()
                    if now - asked > _KEY_FRAME_RETRY:
                        asked = now
                        await self._request_key_frame()
                    continue
                if decoder.codec != self.codec:  # a new connection may have chosen another
                    decoder.close()
                    decoder = Decoder(self.kind, self.codec)
                frames = await decoder.decode(packet.data, packet.time)
                if frames is None:  # damaged: nothing that builds on it can be trusted
                    needs_key_frame = self.kind == "video"
                    continue
                for frame in frames:
                    for consumer in self._frame_consumers:
                        consumer.put(frame)
        finally:
            self._packet_consumers.remove(packets)
            decoder.close()
            for consumer in self._frame_consumers:
                consumer.end()
