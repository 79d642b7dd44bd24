"""What is limited for each address from which clients come. Pure.

Whoever has an address of version 6 has a /64 of them: that counts as one (RFC 6177).
"""

from ipaddress import IPv6Network

from .rate import Bucket


class Addresses:
    """`most`: connections at once, `join_rate` and `ask_rate`: joins and HTTP requests a second; 0
    is no limit."""

    def __init__(
        self, most: int, join_rate: float, ask_rate: float = 0.0, patience: float = 10.0
    ) -> None:
        self._most = most
        self._connections: dict[str, int] = {}
        self._joins = _Rates(join_rate, patience)
        self._asks = _Rates(ask_rate, patience)

    def enter(self, address: str) -> bool:
        """One more connection. False where that is too many; it counts until it leaves."""
        address = _limited(address)
        count = self._connections.get(address, 0) + 1
        self._connections[address] = count
        return not 0 < self._most < count

    def leave(self, address: str) -> None:
        address = _limited(address)
        self._connections[address] -= 1
        if not self._connections[address]:
            del self._connections[address]

    def may_join(self, address: str, now: float) -> bool:
        return self._joins.take(address, now)

    def may_ask(self, address: str, now: float) -> bool:
        return self._asks.take(address, now)

    def joins_for_long(self, address: str, now: float) -> bool:
        """Has it been joining too fast for long?"""
        return self._joins.exhausted(address, now)

    def purge(self, now: float) -> None:
        """Forget those that have been quiet for long enough."""
        self._joins.purge(now)
        self._asks.purge(now)


class _Rates:
    """One bucket for each address."""

    def __init__(self, rate: float, patience: float) -> None:
        self._rate = rate
        self._patience = patience
        self._buckets: dict[str, Bucket] = {}

    def take(self, address: str, now: float) -> bool:
        if not self._rate:
            return True
        address = _limited(address)
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(self._rate, now, self._patience)
        return bucket.take(now)

    def exhausted(self, address: str, now: float) -> bool:
        bucket = self._buckets.get(_limited(address))
        return bucket is not None and bucket.exhausted(now)

    def purge(self, now: float) -> None:
        self._buckets = {
            address: bucket for address, bucket in self._buckets.items() if not bucket.idle(now)
        }


def _limited(address: str) -> str:
    if ":" not in address:
        return address
    return str(IPv6Network((address, 64), strict=False))
