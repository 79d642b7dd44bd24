"""The way into a call: `roomcall.join`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from . import events
from .call import Call, CallOptions
from .media.source import VideoOptions
from .media.sources import open_sources
from .media.sources.passing import Passing
from .network.conditions import Network
from .peer.ice_servers import IcePolicy
from .peer.transceivers import VideoCodecChoice
from .publishing import SourcesFor
from .signaling.base import Signaling
from .signaling.client import RECONNECT_FOR
from .signaling.room import JoinOptions, RoomClient
from .signaling.websocket import SSLOption


@asynccontextmanager
async def join(
    room: str,
    *,
    server: str = "http://127.0.0.1:8080",
    name: str | None = None,
    video: str | object | None = None,
    audio: str | object | None = None,
    password: str | None = None,
    token: str | None = None,
    create: bool = True,
    wait_if_full: bool = False,
    private: bool = False,
    max_participants: int = 0,
    video_size: tuple[int, int] | None = None,
    fps: float | None = None,
    video_codec: VideoCodecChoice = "auto",
    video_bitrate: int | None = None,
    audio_bitrate: int | None = None,
    passthrough: bool = True,
    loop: bool = True,
    ice_servers: Sequence[Mapping[str, Any]] = (),
    ice_policy: IcePolicy = "all",
    network: Network | str | None = None,
    ssl: SSLOption = None,
    signaling: Signaling | None = None,
    sources_for: SourcesFor | None = None,
    stats_interval: float | None = None,
    measure: bool = True,
    watch: bool = False,
    reconnect_for: float = RECONNECT_FOR,
    on_queued: Callable[[events.Queued], None] | None = None,
    on_signal: Callable[[bool, str, Mapping[str, Any]], None] | None = None,
) -> AsyncIterator[Call]:
    """Join a room and call everybody in it: joined when entered, left when closed, also on an
    exception or cancellation.

    `room` is a name, or an id where it is a UUID; where there is none it is made, unless `create`
    is False; `private` always makes a new one that only its id leads to. `password` is the room's,
    also of one that is made; `token` the JWT that the server demands. `video` and `audio` are
    what SRC says of the command (a path, "testsrc", "none") or a source object; without `audio` the
    sound of the video source is sent. What of a file fits goes out as it is, neither decoded nor
    encoded; with `passthrough` False all is encoded. `ice_servers` (W3C `RTCIceServer`) adds to the
    server's. `network` makes a bad one of it: text such as "delay=80ms,loss=2%", or a `Network`.
    `ssl` is an `ssl.SSLContext`, or False to trust any certificate. Bitrates are bits a second.
    With `stats_interval` (seconds) `StatsUpdated` comes that often, and a `testsrc` that comes is
    decoded for its `latency` and `avOffset`, unless `measure` is False; with `watch` all that comes
    is decoded, and its stats have `content`: is it `black`, `frozen`, `silent`. A server that is
    lost is tried again for `reconnect_for` seconds, while media goes on. `sources_for` gives for a
    peer what it alone is sent, in the place of `video` and `audio`.

    With `wait_if_full` it waits for a place where the room is full or not open yet; meanwhile
    `on_queued` gets each new position, which the call's events begin with as well.

    `on_signal` sees every offer, answer and candidate: whether it is ours, the id of the peer, and
    the message, which holds ICE passwords.

    Raises `SourceError` before the server is contacted, then `ServerUnreachable`, `Refused` or
    `ProtocolError`.
    """
    opening = partial(
        open_sources,
        options=VideoOptions(video_size, fps),
        passing=Passing(
            passthrough,
            {"h264": "H264", "vp8": "VP8"}.get(video_codec),
            {"video": video_bitrate, "audio": audio_bitrate},
        ),
        loop=loop,
    )
    sources = await opening(video, audio)
    call = Call(
        signaling
        or RoomClient(
            server,
            room,
            JoinOptions(
                name or "", password, token, create, private, max_participants, wait_if_full
            ),
            ssl=ssl,
            patience=reconnect_for,
        ),
        sources,
        opening,
        bitrates={"video": video_bitrate, "audio": audio_bitrate},
        options=CallOptions(
            tuple(ice_servers),
            ice_policy,
            video_codec,
            Network.parse(network) if isinstance(network, str) else network,
            measure=measure and stats_interval is not None,
            watch=watch,
            on_signal=on_signal,
        ),
        sources_for=sources_for,
    )
    try:
        await call.enter(stats_interval, on_queued)
        yield call
    finally:
        # Shielded: a cancelled task leaves the room as well as any other.
        await asyncio.shield(call.leave())
