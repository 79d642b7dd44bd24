"""The JWT that an operator may demand of every client."""

import time
import warnings
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import jwt

from .clients.session import Grant
from .logs import get_logger

log = get_logger("tokens")

_SAFE_LENGTH = 32  # See RFC 7518 section 3.2.
_LATEST = 2**36  # that a datetime can say, and more than two thousand years from now


def issue(
    secret: str,
    subject: str,
    *,
    ttl: float,
    room: str | None = None,
    create: bool = True,
    host: bool = False,
) -> str:
    """A token that holds for `ttl` seconds from now, with the claims of a `Grant`."""
    claims: dict[str, Any] = {"sub": subject, "exp": int(time.time() + ttl), "create": create}
    if room is not None:
        claims |= {"room": room, "host": host}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.warnings.InsecureKeyLengthWarning)
        return jwt.encode(claims, secret, algorithm="HS256")


class Tokens:
    """Reads tokens signed with one secret, by HS256 and nothing else."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        if len(secret.encode()) < _SAFE_LENGTH:
            log.warning("jwt_secret is too short for HS256", bytes_needed=_SAFE_LENGTH)

    def read(self, token: str | None) -> Grant | None:
        """What the token grants; None where it is missing, wrong or has expired."""
        if token is None:
            return None
        with warnings.catch_warnings():
            # Of a short secret we have warned at the start, once.
            warnings.simplefilter("ignore", jwt.warnings.InsecureKeyLengthWarning)
            try:
                claims = jwt.decode(
                    token, self._secret, algorithms=["HS256"], options={"require": ["sub", "exp"]}
                )
            except (jwt.InvalidTokenError, ValueError):  # the latter where it is no text
                return None
        return _grant(claims)


def _grant(claims: dict[str, Any]) -> Grant | None:
    """The claims, where they are of the right types."""
    room, create, host = claims.get("room"), claims.get("create", True), claims.get("host", False)
    if not (isinstance(room, str | None) and isinstance(create, bool) and isinstance(host, bool)):
        return None
    return Grant(
        subject=str(claims["sub"]),
        room=None if room is None else normalize("NFC", room),
        create=create,
        host=host,
        expires_at=datetime.fromtimestamp(min(int(claims["exp"]), _LATEST), UTC),
    )
