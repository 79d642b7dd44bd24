"""The address of a signaling server, as people write it."""

import pytest

from roomcall.signaling.url import http_url, websocket_url, without_user


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws"),
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/ws"),
        ("https://rooms.example", "wss://rooms.example/ws"),
        ("https://rooms.example/prefix", "wss://rooms.example/prefix/ws"),
        ("https://rooms.example/prefix/", "wss://rooms.example/prefix/ws"),
        ("ws://rooms.example", "ws://rooms.example/ws"),
        ("wss://rooms.example/ws", "wss://rooms.example/ws"),
        ("wss://rooms.example/prefix/ws/", "wss://rooms.example/prefix/ws"),
        ("https://rooms.example/news", "wss://rooms.example/news/ws"),
        ("rooms.example", "ws://rooms.example/ws"),
        ("rooms.example:8080", "ws://rooms.example:8080/ws"),
        ("localhost:8080/prefix", "ws://localhost:8080/prefix/ws"),
        ("HTTPS://rooms.example", "wss://rooms.example/ws"),
        ("http://[::1]:8080", "ws://[::1]:8080/ws"),
        ("https://rooms.example/a?b=c&d=e", "wss://rooms.example/a/ws?b=c&d=e"),
        ("https://rooms.example/a#b", "wss://rooms.example/a/ws"),
        ("https://ann:secret@rooms.example", "wss://ann:secret@rooms.example/ws"),
    ],
)
def test_what_people_write(server: str, url: str) -> None:
    assert websocket_url(server) == url
    assert websocket_url(url) == url


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("ftp://rooms.example", "ftp://rooms.example is not an http, https, ws or wss address"),
        ("file:///etc/passwd", "is not an http, https, ws or wss address"),
        ("http://", "names no host"),
        ("http:///path", "names no host"),
        ("http://:8080", "names no host"),
        ("", "names no host"),
        ("http://[::1", "IPv6"),
        ("not a url", "not a url has a space"),
        ("http://rooms.example:0", "http://rooms.example:0 has a port that is none"),
        ("http://rooms.example:99999", "has a port that is none"),
        ("http://rooms.example:http", "has a port that is none"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(server: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        websocket_url(server)


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://rooms.example/prefix/?a=b", "https://rooms.example/prefix"),
        ("wss://rooms.example/ws", "https://rooms.example"),
    ],
)
def test_where_its_http_begins(server: str, url: str) -> None:
    assert http_url(server) == url


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ("https://ann:secret@rooms.example/a@b", "https://rooms.example/a@b"),
        ("ann:sec@ret@rooms.example:8080", "rooms.example:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_password_is_not_shown(server: str, shown: str) -> None:
    assert without_user(server) == shown


def test_a_password_is_not_in_an_error() -> None:
    with pytest.raises(ValueError, match="no|not") as error:
        websocket_url("ftp://ann:secret@rooms.example")
    assert "secret" not in str(error.value)
