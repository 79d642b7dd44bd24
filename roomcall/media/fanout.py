"""One source to all peers: encoded once a codec, handed to every peer as it comes.

    source -> Publication (a kind) -> Encoding (a codec, in a thread) -> Subscription (a peer)

A source that gives packets in a codec has them handed on as they are; only for peers who need
another codec they are decoded.

Rule 1. A further peer costs its packets, nothing else.
Rule 2. A peer delays nobody: its sender takes each packet at once. Before it begins they wait in a
        queue of its own, which is bounded; when it is full, a picture's backlog is dropped and the
        peer resumes at its next key frame, of a sound the oldest packet is dropped.
Rule 3. A source of packets cannot make a key frame; one that is live can ask for it. Who comes
        later gets what was sent since the last one, at once; who has lost something waits for the
        next.
Rule 4. A subscription never ends and never raises by itself: aiortc's sender would be dead.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

import av

from .decoder import Decoder
from .encoder import EncodedPacket
from .encoding import Encoding, Subscription
from .source import Kind, LiveSource, PacketSource, Source, SourceEnded

logger = logging.getLogger(__name__)

ADAPT_EVERY = 0.5  # seconds


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
        self._is_live = isinstance(source, LiveSource)
        self._bitrate = bitrate
        self._on_end = on_end
        self._encodings: dict[tuple[str, bool], Encoding] = {}  # by codec, and whether lower layer
        self._tops: dict[str, int] = {}  # bitrates of upper layers where nobody is slow
        self._adapted = float("-inf")
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
        self._is_live = isinstance(source, LiveSource)
        self._break_off()
        self.start()

    def subscribe(self, codec: str) -> Subscription:
        """Packets in an RTP codec (`H264`, `VP8`, `opus`). Raises `ValueError` for another one."""
        return self._encoding(codec).subscribe(self._adapt)

    def _encoding(self, codec: str, *, lower: bool = False) -> Encoding:
        encoding = self._encodings.get((codec, lower))
        if encoding is None:
            encoding = Encoding(self.kind, codec, self._bitrate, self._discard, lower=lower)
            self._encodings[codec, lower] = encoding
        return encoding

    def _discard(self, encoding: Encoding) -> None:
        del self._encodings[encoding.codec, encoding.lower]
        encoding.close()

    def _adapt(self) -> None:
        """A peer has reported what it can take."""
        now = asyncio.get_running_loop().time()
        if self.kind == "audio" or self._is_live or now - self._adapted < ADAPT_EVERY:
            return
        self._adapted = now
        for encoding in list(self._encodings.values()):
            encoding.measure(now)
        for (codec, lower), encoding in list(self._encodings.items()):
            upper = self._encodings.get((codec, False))
            if upper is not None and upper.top:
                self._tops[codec] = upper.top
            if not (top := self._tops.get(codec, 0)):
                continue
            for peer in list(encoding.subscriptions):
                if peer.rate.judge(encoding.sent, now) and peer.rate.slow != lower:
                    logger.info("a peer gets the %s layer", "lower" if peer.rate.slow else "upper")
                    layer = self._encoding(codec, lower=peer.rate.slow)
                    peer.move(layer)
                    layer.adapt(now, top)
            if encoding.subscriptions:
                encoding.adapt(now, top)

    async def _run(self, source: Source) -> None:
        packets = cast("PacketSource", source)  # where it gives packets
        try:
            while True:
                item = await source.recv()
                if isinstance(item, av.Packet):
                    await self._take_packet(item, packets.codec)
                    self._ask_for_key_frame(packets)
                elif not self.muted:
                    await self._encode(item)
        except SourceEnded:
            self.ended = True
            if self._on_end is not None:
                self._on_end()
        except (av.FFmpegError, ValueError) as error:
            self.ended = True
            logger.error("%s cannot be encoded: %s", self.kind, error)

    async def _encode(
        self, frame: av.VideoFrame | av.AudioFrame, but: Encoding | None = None
    ) -> None:
        for key, encoding in list(self._encodings.items()):
            # It may go while another works.
            if encoding is not but and self._encodings.get(key) is encoding:
                await encoding.encode(frame)

    async def _take_packet(self, packet: EncodedPacket, codec: str) -> None:
        if self.muted:
            return self._break_off()
        if (encoding := self._encodings.get((codec, False))) is not None:
            encoding.pass_on(packet)
        if self._encodings.keys() - {(codec, False)}:
            if self._decoder is None:
                self._decoder = Decoder(self.kind, codec)
            assert packet.pts is not None, "a source stamps its packets"
            time = float(packet.pts * packet.time_base)
            for frame in await self._decoder.decode(bytes(packet), time) or ():
                await self._encode(frame, but=encoding)
        elif self._decoder is not None:
            self._end_decoder()

    def _ask_for_key_frame(self, source: PacketSource) -> None:
        """What peers ask of us, of whoever the packets come from."""
        encoding = self._encodings.get((source.codec, False))
        if self._is_live and encoding is not None and self.kind == "video":
            if encoding.key_frames.due(asyncio.get_running_loop().time()):
                assert isinstance(source, LiveSource)
                source.request_key_frame()

    def _break_off(self) -> None:
        for encoding in self._encodings.values():
            encoding.break_off()

    def _end_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    async def close(self) -> None:
        await self._stop()
        for encoding in list(self._encodings.values()):
            self._discard(encoding)

    async def _stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None
        self._end_decoder()
        if self._source is not None:
            await self._source.close()
