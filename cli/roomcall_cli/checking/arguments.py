"""What `roomcall check` gives its peers to go by. Pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from ..options import Media, Server


def arguments_of(
    room: str,
    *,
    server: Server,
    media: Media,
    create: bool,
    wait_if_full: bool,
    reconnect_for: float,
    relay: bool,
    network: str | None,
    interval: float,
    limit: float,
) -> list[str]:
    """Of `roomcall join`; nothing that is secret. It ends by itself after `limit` seconds."""
    size = None if media.video_size is None else "{}x{}".format(*media.video_size)
    values = {
        "--ca-file": server.ca_file,
        "--video": media.video,
        "--audio": media.audio,
        "--size": size,
        "--fps": media.fps,
        "--video-codec": media.video_codec,
        "--video-bitrate": media.video_bitrate,
        "--audio-bitrate": media.audio_bitrate,
        "--reconnect-for": reconnect_for,
        "--ice-policy": "relay" if relay else None,
        "--network": network,
        "--stats-interval": interval,
        "--duration": limit,
    }
    switches = {
        "--insecure": server.ssl is False,
        "--no-loop": not media.loop,
        "--no-passthrough": not media.passthrough,
        "--no-create": not create,
        "--wait-if-full": wait_if_full,
        "--watch": True,
        "--json": True,
    }
    given = [f"{name}={value}" for name, value in values.items() if value is not None]
    return [*given, *(name for name, on in switches.items() if on), "--", room]


def secrets_of(
    url: str, password: str | None, token: str | None, ice_servers: Sequence[Mapping[str, str]]
) -> dict[str, str]:
    """What others on the machine are not to see, by the names of environment variables."""
    values = {
        "ROOMCALL_SERVER": url,
        "ROOMCALL_PASSWORD": password,
        "ROOMCALL_TOKEN": token,
        "ROOMCALL_ICE_SERVER": " ".join(map(_url_of, ice_servers)) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _url_of(server: Mapping[str, str]) -> str:
    """As --ice-server takes it."""
    if "credential" not in server:
        return server["urls"]
    scheme, _, host = server["urls"].partition(":")
    user, credential = (quote(server[name], safe="") for name in ("username", "credential"))
    return f"{scheme}:{user}:{credential}@{host}"
