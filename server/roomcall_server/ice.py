"""STUN and TURN servers as a client is told them.

TURN credentials are made per client and hold for a while: coturn's `use-auth-secret` scheme.
"""

import base64
import hmac
from datetime import datetime
from hashlib import sha1
from typing import Any


class IceServers:
    """W3C `RTCIceServer[]` of the operator's configuration. Pure: the time is an argument."""

    def __init__(
        self, stun_urls: tuple[str, ...], turn_urls: tuple[str, ...], secret: str, ttl: int
    ) -> None:
        self._stun_urls = stun_urls
        self._turn_urls = turn_urls
        self._secret = secret
        self._ttl = ttl

    def for_client(self, client: str, now: datetime) -> list[dict[str, Any]]:
        servers: list[dict[str, Any]] = []
        if self._stun_urls:
            servers.append({"urls": list(self._stun_urls)})
        if self._turn_urls:
            username = f"{int(now.timestamp()) + self._ttl}:{client}"
            mac = hmac.new(self._secret.encode(), username.encode(), sha1)
            servers.append(
                {
                    "urls": list(self._turn_urls),
                    "username": username,
                    "credential": base64.b64encode(mac.digest()).decode(),
                }
            )
        return servers
