"""Fifteen things that can be wrong with a call, each made on purpose; and a call without any.

Each gives the arguments of `roomcall check` while it is entered. What is wrong is with a member
that is not the check's own, with its network, or with the server.
"""

import asyncio
import contextlib
import datetime
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import roomcall
import roomcall_server
from roomcall.signaling.room import JoinOptions, RoomClient
from roomcall.testing.faults import Camera, Microphone

ROOM = "checked"
Setting = Callable[[], AbstractAsyncContextManager[list[str]]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`told` stands in one of the failures, and `code` is the exit code. `dies`: `setting` is left
    as soon as it is measured."""

    name: str
    setting: Setting
    told: str
    code: int
    dies: bool = False


def own(*arguments: str) -> Setting:
    """Between two peers of the check's own, on its own server."""

    @asynccontextmanager
    async def setting() -> AsyncIterator[list[str]]:
        yield ["--peers", "2", *arguments]

    return setting


def member(*arguments: str, fps: float = 15, late: float = 0.0, **faults: Any) -> Setting:
    """With somebody else in the room."""

    @asynccontextmanager
    async def setting() -> AsyncIterator[list[str]]:
        async with roomcall_server.serve() as server:
            origin = asyncio.get_running_loop().time()
            silent = faults.pop("silent", False)
            video = Camera(origin, fps=fps, **faults)
            audio = Microphone(origin, fps=fps, late=late, silent=silent)
            async with roomcall.join(ROOM, server=server.url, name="app", video=video, audio=audio):
                yield _awaiting(server.url, *arguments)

    return setting


@asynccontextmanager
async def one_way() -> AsyncIterator[list[str]]:
    async with (
        roomcall_server.serve() as server,
        roomcall.join(ROOM, server=server.url, name="app"),
    ):
        yield _awaiting(server.url)


@asynccontextmanager
async def never_answers() -> AsyncIterator[list[str]]:
    async with roomcall_server.serve() as server, _in_room(server.url, JoinOptions("app")):
        yield _awaiting(server.url)


@asynccontextmanager
async def wrong_password() -> AsyncIterator[list[str]]:
    options = JoinOptions("app", password="open sesame")
    async with roomcall_server.serve() as server, _in_room(server.url, options):
        yield [ROOM, "--server", server.url, "--password", "sesame"]


@asynccontextmanager
async def full_room() -> AsyncIterator[list[str]]:
    options = JoinOptions("app", max_participants=1)
    async with roomcall_server.serve() as server, _in_room(server.url, options):
        yield [ROOM, "--server", server.url]


@asynccontextmanager
async def dead_turn() -> AsyncIterator[list[str]]:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:  # listens, and never answers
        udp.bind(("127.0.0.1", 0))
        url = f"turn:ann:secret@127.0.0.1:{udp.getsockname()[1]}"
        yield ["--peers", "2", "--relay", "--ice-server", url]


@asynccontextmanager
async def dying_server() -> AsyncIterator[list[str]]:
    async with roomcall_server.serve() as server:
        yield [ROOM, "--server", server.url, "--peers", "2"]


@asynccontextmanager
async def wrong_certificate() -> AsyncIterator[list[str]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(certificate(Path(folder) / "server.pem"))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", ssl=context)
    async with server:
        yield [ROOM, "--server", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"]


CLEAN = Fault("nothing wrong", own("--peers", "3"), "", 0)
FAULTS = (
    Fault("dead TURN", dead_turn, "does not answer", 5),
    Fault("blocked UDP", own("--network", "loss=100%"), "(tried from host", 5),
    Fault("frozen picture", member(frozen_after=1), "picture: it is frozen", 1),
    Fault("black picture", member(black=True), "picture: it is black", 1),
    Fault("silent sound", member(silent=True), "sound: it is silent", 1),
    Fault(
        "sound 300 ms late",
        member("--expect", "avOffset.max<0.08", late=0.3),
        "sync: avOffset.max<0.08: it is 0.",
        1,
    ),
    Fault("one-way media", one_way, "first frame: neither picture nor sound is sent", 1),
    Fault(
        "half the frame rate",
        member("--expect", "framesPerSecond>=12", fps=7.5),
        "flow: framesPerSecond>=12: it is 7",
        1,
    ),
    Fault(
        "10 % loss",
        own("--network", "recv.loss=10%,seed=7", "--expect", "loss<1%"),
        "flow: loss<1%: it is 0.",
        1,
    ),
    Fault(
        "300 ms delay",
        own("--network", "recv.delay=300ms", "--expect", "latency.p95<0.3"),
        "latency: latency.p95<0.3: it is 0.",
        1,
    ),
    Fault("a peer that never answers", never_answers, "signaling: no answer to the offer", 5),
    Fault("wrong password", wrong_password, "wrong-password", 4),
    Fault("full room", full_room, "room-full", 4),
    Fault("a server that dies", dying_server, "server: it was lost", 3, dies=True),
    Fault("wrong certificate", wrong_certificate, "certificate", 3),
)


def _awaiting(url: str, *arguments: str) -> list[str]:
    return [ROOM, "--server", url, "--peers", "1", "--await", "1", *arguments]


@asynccontextmanager
async def _in_room(url: str, options: JoinOptions) -> AsyncIterator[None]:
    """Somebody who is a member, and nothing else."""
    client = RoomClient(url, ROOM, options)
    await client.connect()

    async def follow() -> None:
        async for _ in client:
            pass

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await client.close()


def certificate(path: Path) -> Path:
    """Write one that nobody has signed, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(encoding, form, serialization.NoEncryption())
        + made.public_bytes(encoding)
    )
    return path
