"""The address of a signaling server, as people write it. Pure."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_HTTP = {"ws": "http", "wss": "https"}


def without_user(server: str) -> str:
    """As it may be shown: without the user name and the password that it may have."""
    return re.sub(r"^(\w+://)?[^/]*@", r"\1", server)


def has_user(server: str) -> bool:
    """Whether a user name or a password stands before its host."""
    return without_user(server) != server


def websocket_url(server: str) -> str:
    """`http://host:8080`, `https://host/prefix` or `wss://host/ws` as the WebSocket's address.

    Raises `ValueError`, saying what is wrong.
    """
    parts = urlsplit(server if "://" in server else f"http://{server}")
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        raise ValueError(f"{without_user(server)} is not an http, https, ws or wss address")
    if not parts.hostname:
        raise ValueError(f"{without_user(server)} names no host")
    if any(character.isspace() for character in parts.netloc):
        raise ValueError(f"{without_user(server)} has a space where its host should be")
    if not _has_good_port(parts):
        raise ValueError(f"{without_user(server)} has a port that is none")
    path = parts.path.rstrip("/")
    if not path.endswith("/ws"):
        path += "/ws"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def http_url(server: str) -> str:
    """Where its HTTP paths begin, without a slash at the end. Raises as `websocket_url`."""
    parts = urlsplit(websocket_url(server))
    path = parts.path.removesuffix("/ws")
    return urlunsplit((_HTTP[parts.scheme], parts.netloc, path, "", ""))


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False
