"""The media of a load: every two clients of a room are connected, over signals of their sockets.

The first of a room sends a tone, which was encoded ahead; the others only receive. Nothing is
decoded, so a load is what its packets cost, and the handshakes before them.
"""

import asyncio
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from math import pi, sin
from typing import TYPE_CHECKING, Any

import av
import msgspec

from .. import events
from ..call import Call, CallOptions
from ..media.encoder import make_encoder
from ..media.source import AUDIO_CLOCK, AUDIO_SAMPLES, AUDIO_TIME_BASE, Kind, Sources
from ..media.sources import open_sources
from ..media.sources.file import sound_frame
from ..network.conditions import Network
from ..signaling.base import MemberGone, MemberHere, Signal

if TYPE_CHECKING:
    from .client import LoadClient

_MAX_PENDING = 1000  # events that a call has not taken; what comes beyond is lost
_PACKET = AUDIO_SAMPLES / AUDIO_CLOCK  # seconds
_END = object()


def tone() -> list[bytes]:
    """A second of 440 Hz, as Opus."""
    encoder = make_encoder("opus")
    packets: list[bytes] = []
    for start in range(0, AUDIO_CLOCK, AUDIO_SAMPLES):
        wave = (
            round(8000 * sin(2 * pi * 440 * n / AUDIO_CLOCK))
            for n in range(start, start + AUDIO_SAMPLES)
        )
        samples = array("h", [value for sample in wave for value in (sample, sample)])
        frame = sound_frame(samples.tobytes(), start)
        packets += (bytes(packet) for packet in encoder.encode(frame, False))
    return packets


class Tone:
    """Implements `PacketSource`: the same packets again and again, one each 20 ms."""

    kind: Kind = "audio"
    codec = "opus"

    def __init__(self, packets: Sequence[bytes]) -> None:
        self._packets = packets
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._number = 0

    async def recv(self) -> "av.Packet[Any]":
        due = self._begun + self._number * _PACKET
        await asyncio.sleep(due - self._loop.time())
        packet = av.Packet(self._packets[self._number % len(self._packets)])
        packet.time_base = AUDIO_TIME_BASE
        packet.pts = packet.dts = round(due * AUDIO_CLOCK)
        packet.is_keyframe = True
        self._number += 1
        return packet

    async def close(self) -> None:
        pass


class Media:
    """The call of one client, whose socket it shares: implements `Signaling`."""

    def __init__(
        self,
        client: "LoadClient",
        ice_servers: Sequence[Mapping[str, Any]],
        sends: Sequence[bytes] | None,
        network: Network | None,
    ) -> None:
        self.ice_servers = ice_servers
        self._client = client
        self._events: asyncio.Queue[Any] = asyncio.Queue(_MAX_PENDING)
        self.call = Call(
            self,
            Sources() if sends is None else Sources(audio=Tone(sends)),
            open_sources,
            bitrates={"video": None, "audio": None},
            options=CallOptions(network=network),
        )

    def hear(self, event: MemberHere | MemberGone | Signal) -> None:
        if self._events.qsize() < _MAX_PENDING - 1:  # a place is kept for the end
            self._events.put_nowait(event)

    async def run(self) -> None:
        """Be in the call until it is closed, and tell the load how it goes."""
        load = self._client.load
        await self.call.enter(None, None)
        async for event in self.call:
            match event:
                case events.PeerConnected(seconds=seconds):
                    load.result.times["setup"].add(seconds)
                case events.FirstFrame(seconds=seconds):
                    load.result.times["firstFrame"].add(seconds)
                case events.PeerFailed(peer=peer, reason=reason) if not self._client.leaving:
                    load.note(f"client {self._client.number}: no way to {peer.id}: {reason}")

    async def settled(self, others: set[str], sender: str) -> None:
        """Wait until it is connected to all `others` and has heard `sender`, where that is one."""
        waited: set[tuple[str, type[events.Event]]]
        waited = {(id, events.PeerConnected) for id in others}
        waited |= {(id, events.FirstFrame) for id in others & {sender}}
        async for event in self.call:
            match event:
                case events.PeerConnected(peer=peer) | events.FirstFrame(peer=peer):
                    waited.discard((peer.id, type(event)))
                case events.MemberLeft(peer=peer):
                    waited = {(id, type) for id, type in waited if id != peer.id}
            if not waited:
                return

    def connected(self, id: str) -> bool:
        peer = self.call.peers.get(id)
        return peer is not None and peer.state == "connected"

    async def received(self, id: str) -> tuple[int, int]:
        """How many packets of sound have come of another client, and how many were lost."""
        peer = self.call.peers.get(id)
        sound = {} if peer is None else (await peer.stats()).get("audio", {}).get("inbound", {})
        return sound.get("packetsReceived", 0), sound.get("packetsLost", 0)

    # What a `Signaling` is

    async def connect(self) -> str:
        return self._client.id

    async def send(self, to: str, message: Mapping[str, Any]) -> None:
        signal = {"roomId": self._client.room_id, "to": to, **message}
        await self._client.send(msgspec.json.encode(signal))

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (event := await self._events.get()) is not _END:
            yield event

    async def close(self) -> None:
        self._events.put_nowait(_END)
