"""aiortc's `MediaRecorder`, a process, that writes what the member `ann` sends into a file."""

import asyncio
import sys

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRecorder

from roomcall.signaling.base import MemberHere, Signal

from .receiving import Selective
from .speaker import RECORDER


async def main(server: str, room: str, path: str) -> None:
    client = Selective(server, room, "ann", RECORDER)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    recorder = MediaRecorder(path)

    @connection.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        recorder.addTrack(track)

    await client.connect()
    async for event in client:
        match event:
            case MemberHere(id, before=True):
                connection.addTransceiver("video", direction="recvonly")
                connection.addTransceiver("audio", direction="recvonly")
                await connection.setLocalDescription()
                payload = {"type": "offer", "sdp": connection.localDescription.sdp, "callId": "1"}
                await client.send(id, {"type": "offer", "payload": payload})
            case Signal(_, {"type": "answer", "payload": payload}):
                await connection.setRemoteDescription(
                    RTCSessionDescription(payload["sdp"], "answer")
                )
                await recorder.start()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
