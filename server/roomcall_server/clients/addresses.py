"""What is limited for each address from which clients come. Pure."""

from .rate import Bucket


class Addresses:
    """`most`: connections at once, `join_rate`: joins a second; 0 is no limit."""

    def __init__(self, most: int, join_rate: float) -> None:
        self._most = most
        self._join_rate = join_rate
        self._connections: dict[str, int] = {}
        self._joins: dict[str, Bucket] = {}

    def enter(self, address: str) -> bool:
        """One more connection. False where that is too many; it counts until it leaves."""
        count = self._connections.get(address, 0) + 1
        self._connections[address] = count
        return not 0 < self._most < count

    def leave(self, address: str) -> None:
        self._connections[address] -= 1
        if not self._connections[address]:
            del self._connections[address]

    def may_join(self, address: str, now: float) -> bool:
        if not self._join_rate:
            return True
        if address not in self._joins:
            self._joins[address] = Bucket(self._join_rate, now)
        return self._joins[address].take(now)

    def purge(self, now: float) -> None:
        """Forget those that have been quiet for long enough."""
        self._joins = {
            address: bucket for address, bucket in self._joins.items() if not bucket.idle(now)
        }
