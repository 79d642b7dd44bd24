"""What one peer gets of a publication: a subscription in the clothes of an aiortc track."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiortc import MediaStreamError, MediaStreamTrack, RTCRtpSender

from ..media.encoder import EncodedPacket
from ..media.fanout import Publication
from ..stats import Outbound
from .internals import SenderTap, send_packets, tap_sender

if TYPE_CHECKING:
    from ..media.encoding import Subscription


class PacketTrack(MediaStreamTrack):
    """Its sender only packs what it gets, and has nothing to encode."""

    def __init__(self, publication: Publication, outbound: Outbound) -> None:
        super().__init__()
        self.kind = publication.kind
        self._publication = publication
        self._outbound = outbound
        self._subscription: Subscription | None = None
        self._stopped = False
        self._time = 0.0

    def send_by(self, sender: RTCRtpSender) -> None:
        """Subscribe in the codec that `sender.send` is told, just before it reads, and hear what
        the other end asks of the sender."""
        send = sender.send

        async def send_in_codec(parameters: Any) -> None:
            self._start(parameters.codecs[0].name)
            await send(parameters)

        sender.send = send_in_codec  # type: ignore[method-assign]
        tap = SenderTap(
            on_key_frame_request=self.request_key_frame,
            on_nack=self._count_nack,
            on_loss=self._on_loss,
            on_bound=self._on_bound,
            age=self._age,
        )
        tap_sender(sender, tap)
        send_packets(sender, self._feed)

    def _start(self, codec: str) -> None:
        if self._subscription is None and not self._stopped:
            self._subscription = self._publication.subscribe(codec)

    async def recv(self) -> Any:
        """Not in use: a packet is handed over when it comes."""
        raise MediaStreamError

    def _feed(self, taker: Callable[[EncodedPacket], None] | None) -> None:
        subscription, outbound = self._subscription, self._outbound
        if subscription is None:  # it has been stopped
            return
        if taker is None:
            return subscription.feed(None)

        def take(packet: EncodedPacket) -> None:
            outbound.frames_sent += 1
            outbound.frames_dropped = subscription.dropped
            assert packet.pts is not None and packet.time_base is not None, (
                "sources stamp what they give"
            )
            self._time = float(packet.pts * packet.time_base)
            taker(packet)

        subscription.feed(take)

    def _age(self) -> float:
        """Of the last packet: sources stamp their frames with the event loop's time."""
        return asyncio.get_running_loop().time() - self._time

    def force_key_frame(self) -> None:
        """What was sent last may be lost: a whole picture, however old the last one is."""
        if self._subscription is not None:
            self._subscription.request_key_frame(at_once=True)

    def request_key_frame(self) -> None:
        self._outbound.pli_count += 1
        if self._subscription is not None:
            self._subscription.request_key_frame()

    def _on_loss(self, share: float) -> None:
        if self._subscription is not None:
            self._subscription.on_loss(share)

    def _on_bound(self, bitrate: int) -> None:
        if self._subscription is not None:
            self._subscription.on_bound(bitrate)

    def _count_nack(self, found: int) -> None:
        self._outbound.nack_count += 1
        self._outbound.retransmitted_packets_sent += found

    def stop(self) -> None:
        super().stop()
        self._stopped = True
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
