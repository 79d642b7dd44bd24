"""The address of a signaling server, as people write it. Pure."""

from urllib.parse import urlsplit, urlunsplit

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def websocket_url(server: str) -> str:
    """`http://host:8080`, `https://host/prefix` or `wss://host/ws` as the WebSocket's address.

    Raises `ValueError`, saying what is wrong.
    """
    parts = urlsplit(server if "://" in server else f"http://{server}")
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        raise ValueError(f"{server} is not an http, https, ws or wss address")
    if not parts.hostname:
        raise ValueError(f"{server} names no host")
    path = parts.path.rstrip("/")
    if not path.endswith("/ws"):
        path += "/ws"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))
