"""Debian's redis-server, started by a test on loopback, with its files in a folder that goes."""

import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

READY = 10.0  # seconds
ENDING = 5.0


class RedisServer:
    """One at a time listens at `port`. It keeps what it has in an append-only file."""

    def __init__(self, folder: Path, arguments: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        self._folder = folder
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Listens when this returns."""
        folder = str(self._folder)
        command = [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder),
            *("--save", "", "--appendonly", "yes", "--appendfsync", "no", *self._arguments),
        ]
        with (self._folder / "log").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + READY
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._folder / "log").read_text()
                raise RuntimeError(f"redis-server does not listen at port {self.port}:\n{log}")
            time.sleep(0.01)

    def kill(self, *, forget: bool = False) -> None:
        """At once, as when it crashes. `forget`: with all that it had."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait(ENDING)
        self._process = None
        if forget:
            for path in sorted(self._folder.rglob("*.aof*")):
                if path.is_file():
                    path.unlink()

    def stop(self) -> None:
        """It takes connections and answers nothing, until `go_on`."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.2) as connection:
                connection.settimeout(0.5)
                connection.sendall(b"PING\r\n")
                answer = connection.recv(100)
                return answer.startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


@contextmanager
def running_redis(*arguments: str) -> Iterator[RedisServer]:
    """With these options of redis-server."""
    with tempfile.TemporaryDirectory(prefix="roomcall-redis-") as folder:
        server = RedisServer(Path(folder), arguments)
        try:
            server.start()
            yield server
        finally:
            server.kill()


def free_port() -> int:
    """Of those that the system gives to no connection: while nobody listens, nobody gets it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as tcp, suppress(OSError):
            tcp.bind(("127.0.0.1", port))
            return port
