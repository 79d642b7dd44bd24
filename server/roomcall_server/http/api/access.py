"""Who asks over HTTP, and what that lets them see."""

import hmac
from dataclasses import dataclass

from aiohttp import web

from ...clients.session import Grant
from ...service import Service


@dataclass(frozen=True, slots=True)
class Caller:
    """The admin, or somebody with this grant."""

    grant: Grant
    admin: bool = False


NOBODY = Caller(Grant())


class Unauthorized(Exception):
    """A token is needed, and there is none that is valid."""


class Forbidden(Exception):
    """Nobody may do this here: the message says why."""


def bearer(request: web.Request) -> str | None:
    """See RFC 6750 section 2.1."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else None


def identify(service: Service, token: str | None) -> Caller:
    """Raises `Unauthorized` where the server demands a token of everybody."""
    secret = service.config.admin_token
    if secret and token is not None and hmac.compare_digest(secret.encode(), token.encode()):
        return Caller(Grant(), admin=True)
    tokens = service.context.tokens
    if tokens is None:
        return NOBODY
    grant = tokens.read(token)
    if grant is None:
        raise Unauthorized
    return Caller(grant)


def require_admin(service: Service, caller: Caller) -> None:
    """Raises `Forbidden` or `Unauthorized`."""
    if not service.config.admin_token:
        raise Forbidden("this server has no admin token: start it with one")
    if not caller.admin:
        raise Unauthorized
