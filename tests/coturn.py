"""Debian's coturn as a STUN and TURN server of a test, on loopback and without a trace."""

import base64
import hmac
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

READY = 10.0  # seconds
ENDING = 5.0
_BINDING = bytes.fromhex("00010000" + "2112a442") + b"roomcalltest"  # RFC 8489 section 5


@dataclass(frozen=True, slots=True)
class Coturn:
    """Takes UDP and TCP at one port. `secret` is that of credentials which hold for a time."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    realm: str
    secret: str | None = field(default=None, repr=False)

    @property
    def stun_url(self) -> str:
        return f"stun:{self.host}:{self.port}"

    @property
    def turn_url(self) -> str:
        return f"turn:{self.host}:{self.port}"

    def url_with_credentials(self, transport: str = "udp") -> str:
        """As --ice-server takes it."""
        user = self.user.replace(":", "%3A")
        where = f"{self.host}:{self.port}?transport={transport}"
        return f"turn:{user}:{self.password}@{where}"


def temporary_credentials(secret: str, user: str, seconds: float = 600) -> tuple[str, str]:
    """User name and password of coturn's `use-auth-secret`."""
    name = f"{int(time.time() + seconds)}:{user}"
    mac = hmac.new(secret.encode(), name.encode(), sha1)
    return name, base64.b64encode(mac.digest()).decode()


@contextmanager
def running_coturn(
    *, secret: str | None = None, arguments: tuple[str, ...] = ()
) -> Iterator[Coturn]:
    """Listens once entered. With a `secret`, users have temporary credentials made from it."""
    realm = "roomcall.test"
    if secret is None:
        user, password = "ann", "correct-horse"
        access = ["--lt-cred-mech", "--user", f"{user}:{password}"]
    else:
        user, password = temporary_credentials(secret, "ann")
        access = ["--use-auth-secret", "--static-auth-secret", secret]
    server = Coturn("127.0.0.1", _free_port(), user, password, realm, secret)
    with tempfile.TemporaryDirectory(prefix="roomcall-coturn-") as folder:
        log = Path(folder) / "log"
        command = [
            *("turnserver", "-n"),  # whatever /etc/turnserver.conf says
            *("--listening-ip", server.host, "--relay-ip", server.host),
            *("--listening-port", str(server.port), "--realm", realm, *access),
            *("--no-tls", "--no-dtls", "--no-cli", "--no-rfc5780", "--allow-loopback-peers"),
            *("--pidfile", f"{folder}/pid", "--userdb", f"{folder}/db", "--log-file", "stdout"),
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
        try:
            _wait_until_ready(server, process, log)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(ENDING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    """Of UDP and of TCP; coturn cannot choose one itself."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


def _wait_until_ready(server: Coturn, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(server):
            return
        time.sleep(0.02)
    raise RuntimeError(f"coturn does not listen at port {server.port}:\n{log.read_text()}")


def _answers(server: Coturn) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.2)
        try:
            udp.connect((server.host, server.port))
            udp.send(_BINDING)
            udp.recv(2048)
            socket.create_connection((server.host, server.port), 0.2).close()
        except OSError:
            return False
    return True
