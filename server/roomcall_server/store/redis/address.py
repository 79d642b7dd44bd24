"""Where a Redis is, and why it cannot be used. Passwords are in no text of it."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.asyncio import ConnectionPool
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    InvalidResponse,
    RedisError,
    TimeoutError,
)

from ..base import StoreError

PREFIX = "roomcall:"
TIMEOUT = 2.0  # seconds for a connection, and for the answers to what was called at once
_OPTIONS = {
    *("db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"),
    *("ssl_cert_reqs", "ssl_check_hostname"),
}


class Address:
    """`redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?prefix=…]`, and `rediss://` for TLS, for which
    it has some options of redis-py. Raises `StoreError`."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            if "@" in parts.path + parts.query + parts.fragment:
                raise StoreError("a Redis: in its user and password write / as %2F, ? as %3F")
            options = dict(parse_qsl(parts.query))
            self.prefix = options.pop("prefix", PREFIX)
            where = parts.hostname or "localhost"
            self.text = f"{parts.scheme}://{where}:{parts.port or 6379}{parts.path.rstrip('/')}"
        except ValueError:
            raise StoreError("a Redis: its host or port cannot be read") from None
        if unknown := options.keys() - _OPTIONS:
            known = ", ".join(sorted(_OPTIONS | {"prefix"}))
            raise StoreError(f"{self.text}: there is no option {min(unknown)!r} — only {known}")
        if parts.path.strip("/") and not parts.path.strip("/").isdecimal():
            raise StoreError(f"{self.text}: the database must be a number, as in /0")
        try:
            self._pool: Any = ConnectionPool.from_url(
                parts._replace(query=urlencode(options)).geturl(),
                protocol=2,
                socket_timeout=None,  # who calls has a bound for all of it
                socket_connect_timeout=TIMEOUT,
                client_name="roomcall",
            )
        except (ValueError, TypeError, RedisError) as error:
            raise StoreError(f"{self.text}: {error}") from None

    def connection(self) -> Any:
        """One that is not open yet."""
        return self._pool.make_connection()

    def explained(self, error: Exception) -> str:
        """In one line."""
        return f"{self.text} {reason(error)}"


def reason(error: BaseException) -> str:
    text = " ".join(str(error).partition(" script: ")[0].split())
    match error:
        case AuthenticationError():
            return f"refuses the user or the password ({text}) — see the URL, and its users"
        case InvalidResponse():
            return "is no Redis — name the port of one"
        case ConnectionError() | OSError() if not isinstance(error, asyncio.TimeoutError):
            return f"cannot be used ({text}) — is a Redis running there?"
        case TimeoutError() | asyncio.TimeoutError():
            return f"does not answer within {TIMEOUT:g} s — is it stopped, or another program?"
        case RedisError():
            return f"says: {text}"
    return f"cannot be used: {text or type(error).__name__}"
