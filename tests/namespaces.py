"""Network namespaces of a test (Linux, root): machines with addresses of their own, and cables."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_numbers = itertools.count()


class Namespace:
    """A machine of its own as far as the network goes; at first it has its loopback alone."""

    def __init__(self) -> None:
        self.name = f"roomcall-{os.getpid()}-{next(_numbers)}"

    def open(self) -> None:
        _ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments: str) -> None:
        """ip(8) inside."""
        _ip("-n", self.name, *arguments)

    def command(self, *command: str) -> tuple[str, ...]:
        """A command that runs inside, for `subprocess`."""
        return ("ip", "netns", "exec", self.name, *command)

    def connect(self, own: str, other: "Namespace", others: str) -> str:
        """Lay a cable: addresses such as "10.0.0.1/24" at both ends. Returns our interface."""
        # The kernel takes 15 characters at most.
        ends = [f"rc{os.getpid() % 1_000_000}-{next(_numbers)}" for _ in range(2)]
        self.ip("link", "add", ends[0], "type", "veth", "peer", ends[1], "netns", other.name)
        for space, end, address in ((self, ends[0], own), (other, ends[1], others)):
            space.ip("address", "add", address, "dev", end)
            space.ip("link", "set", end, "up")
        return ends[0]

    def close(self) -> None:
        """With its interfaces, and the cables that they are ends of."""
        _ip("netns", "delete", self.name)


class NoNamespaces(Exception):
    """They cannot be made here: the text says why."""


@contextmanager
def namespaces(count: int) -> Iterator[list[Namespace]]:
    """So many, which are gone afterwards. Raises `NoNamespaces`."""
    made: list[Namespace] = []
    try:
        try:
            for _ in range(count):
                made.append(space := Namespace())
                space.open()
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoNamespaces((getattr(error, "stderr", "") or str(error)).strip()) from None
        yield made
    finally:
        for space in made:
            space.close()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=10)
