"""Other people's WebRTC, each in a process of its own that is led by JSON: one question a line, one
answer. `Absent` says what is missing for one."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from roomcall.signaling.base import MemberHere, Signal
from roomcall.signaling.room import JoinOptions, RoomClient

HERE = Path(__file__).parent
# Where `make interop` has installed what is from npm.
PACKAGES = HERE.parents[1] / ".venv/interop"
NAMES = ("Chromium", "Firefox", "wrtc", "werift", "webrtcbin")
ANSWERING = 20.0  # seconds
STARTING = 60.0


class Absent(Exception):
    """It cannot run here; the text says what is missing."""


class Stack(ABC):
    """A member of a room. What it is asked is a method of `Member` in `member.js`."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, what: str, **options: Any) -> Any:
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._send(json.dumps({"number": number, "do": what, **options}))
        return await asyncio.wait_for(answer, ANSWERING)

    async def join(self, server: str, room: str, *, relay: bool, codec: str) -> str:
        id: str = await self.ask("join", server=server, room=room, relay=relay, codec=codec)
        return id

    @abstractmethod
    async def _send(self, line: str) -> None: ...

    async def _heard(self, line: str) -> None:
        answer = json.loads(line)
        future = self._asked.pop(answer["number"])
        if "error" in answer:
            future.set_exception(AssertionError(answer["error"]))
        else:
            future.set_result(answer["value"])


class Program(Stack):
    """By stdin and stdout."""

    def __init__(self, *command: object, **environment: object) -> None:
        super().__init__()
        self._command = [str(part) for part in command]
        self._environment = {name: str(value) for name, value in environment.items()}

    @asynccontextmanager
    async def running(self, log: Path) -> AsyncIterator["Program"]:
        with log.open("wb") as stderr:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                limit=1 << 20,
            )
        listening = asyncio.create_task(self._listen())
        try:
            yield self
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()

    async def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            await self._heard(line.decode())


class Bridged(Program):
    """One that has no WebSocket: its signals go through a member of ours."""

    @asynccontextmanager
    async def running(self, log: Path) -> AsyncIterator["Bridged"]:
        self._room: RoomClient | None = None
        self._other = ""
        self._following: asyncio.Task[None] | None = None
        async with super().running(log):
            try:
                yield self
            finally:
                if self._following is not None:
                    self._following.cancel()
                    await asyncio.gather(self._following, return_exceptions=True)
                if self._room is not None:
                    await self._room.close()

    async def join(self, server: str, room: str, *, relay: bool, codec: str) -> str:
        self._room = RoomClient(server, room, JoinOptions("webrtcbin"))
        id = await self._room.connect()
        await self.ask("open", servers=self._room.ice_servers, relay=relay, codec=codec)
        self._following = asyncio.create_task(self._follow(self._room))
        return id

    async def _follow(self, room: RoomClient) -> None:
        async for event in room:
            match event:
                case MemberHere(id, before=before):
                    self._other = id
                    if before:
                        await self.ask("call")
                case Signal(message=message):
                    await self.ask("signal", **message)

    async def _heard(self, line: str) -> None:
        if "signal" in (said := json.loads(line)):
            assert self._room is not None
            await self._room.send(self._other, said["signal"])
        else:
            await super()._heard(line)


class Browser(Stack):
    """By a page that it is started with, and a WebSocket from there."""

    def __init__(self, *command: str, settings: str = "") -> None:
        super().__init__()
        self._command = command
        self._settings = settings
        self.agent = ""

    @asynccontextmanager
    async def running(self, log: Path) -> AsyncIterator["Browser"]:
        self._socket: asyncio.Future[web.WebSocketResponse] = (
            asyncio.get_running_loop().create_future()
        )
        app = web.Application()
        app.router.add_get("/control", self._control)
        app.router.add_static("/", HERE)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        profile = log.with_suffix(".profile")
        profile.mkdir()
        (profile / "user.js").write_text(self._settings)
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.origin = address
        command = [part.format(profile=profile) for part in self._command]
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *command,
                f"{address}/browser.html",
                env={**os.environ, "HOME": str(profile)},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            await asyncio.wait_for(asyncio.shield(self._socket), STARTING)
            yield self
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
            await runner.cleanup()

    async def _control(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.agent = json.loads(await socket.receive_str())["agent"]
        self._socket.set_result(socket)
        async for message in socket:
            await self._heard(message.data)
        return socket

    async def _send(self, line: str) -> None:
        await (await self._socket).send_str(line)


CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--user-data-dir={profile}",
)
FIREFOX_SETTINGS = """
user_pref("media.peerconnection.ice.loopback", true);
user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.navigator.streams.fake", true);
user_pref("media.gmp-gmpopenh264.enabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
user_pref("browser.aboutwelcome.enabled", false);
"""


def make(name: str) -> Stack:
    """Raises `Absent`."""
    match name:
        case "werift" | "wrtc":
            if not (PACKAGES / "node_modules").exists():
                raise Absent("its package from npm, which `make interop` installs")
            return Program("node", HERE / "node.mjs", name, INTEROP_PACKAGES=PACKAGES / "x.js")
        case "webrtcbin":
            if _version_of_gst() is None:
                raise Absent("gir1.2-gst-plugins-bad-1.0, gstreamer1.0-nice, python3-gi of Debian")
            return Bridged("/usr/bin/python3", HERE / "webrtcbin.py")
        case "Chromium":
            _need("chromium")
            return Browser("chromium", *CHROMIUM_FLAGS)
        case "Firefox":
            _need("firefox-esr")
            return Browser(
                "firefox-esr",
                "--headless",
                "--no-remote",
                "--profile",
                "{profile}",
                settings=FIREFOX_SETTINGS,
            )
    raise ValueError(name)


def version_of(name: str) -> str:
    match name:
        case "werift" | "wrtc":
            package = {"wrtc": "@roamhq/wrtc"}.get(name, name)
            path = PACKAGES / "node_modules" / package / "package.json"
            return str(json.loads(path.read_text())["version"])
        case "webrtcbin":
            return _version_of_gst() or ""
    command = {"Chromium": "chromium", "Firefox": "firefox-esr"}[name]
    said = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60).stdout
    return next(word for word in said.split() if word[0].isdigit())


def _need(command: str) -> None:
    if shutil.which(command) is None:
        raise Absent(f"Debian's {command}")


def _version_of_gst() -> str | None:
    program = (
        "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst;"
        "Gst.init(None); assert all(map(Gst.ElementFactory.find,"
        " ('webrtcbin', 'nicesrc', 'x264enc', 'vp8enc', 'opusenc')));"
        "print('.'.join(map(str, Gst.version()[:3])))"
    )
    try:
        run = subprocess.run(["/usr/bin/python3", "-c", program], capture_output=True, text=True)
    except OSError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None
