"""Which web pages may connect. Pure."""

from collections.abc import Collection
from urllib.parse import urlsplit


def allowed(origin: str | None, host: str, allow: Collection[str]) -> bool:
    """A program sends no origin; a page of this server has its host; others must be named.

    See RFC 6455 section 10.2. `host` is the `Host` header.
    """
    if origin is None or "*" in allow or origin in allow:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # it is no URL
        return False
