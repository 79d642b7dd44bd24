"""Options that several commands have, and how their values are written."""

import functools
import re
import sys
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

import click

from roomcall.expectations import METRICS, Expectation, ExpectationError
from roomcall.network.conditions import Network, NetworkError

from .output import write_warning

if TYPE_CHECKING:
    import ssl

# --server is ROOMCALL_SERVER in every command: the same prefix for all, without their names.
SETTINGS: dict[str, Any] = {
    "auto_envvar_prefix": "ROOMCALL",
    "help_option_names": ["-h", "--help"],
}
DEFAULT_SERVER = "http://127.0.0.1:8080"

SECONDS = click.FloatRange(min=0, min_open=True)

Command = Callable[..., None]


class Size(click.ParamType[tuple[int, int]]):
    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", str(value).lower())
        if match is None:
            self.fail(f"{value!r} is no size such as 640x360", param, ctx)
        return int(match[1]), int(match[2])


class NetworkConditions(click.ParamType[str]):
    name = "CONDITIONS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            Network.parse(value)
        except NetworkError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class ExpectationText(click.ParamType[Expectation]):
    name = "EXPR"

    def __init__(self, metrics: Collection[str] = METRICS) -> None:
        self._metrics = metrics

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Expectation:
        if isinstance(value, Expectation):
            return value
        try:
            return Expectation.parse(value, self._metrics)
        except ExpectationError as error:
            self.fail(str(error), param, ctx)


class Bitrate(click.ParamType[int]):
    name = "bits/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmM]?)(?:bit)?", str(value))
        rate = float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()] if match else 0
        if not rate:
            self.fail(f"{value!r} is no bitrate such as 500k or 2M", param, ctx)
        return round(rate)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the rooms are, and whom to trust there."""

    url: str
    ssl: "ssl.SSLContext | Literal[False] | None"
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """What is sent: the arguments of `roomcall.join` of the same names."""

    video: str | None
    audio: str | None
    video_size: tuple[int, int] | None
    fps: float | None
    video_codec: Literal["auto", "h264", "vp8"]
    video_bitrate: int | None
    audio_bitrate: int | None
    loop: bool
    passthrough: bool

    def options(self) -> dict[str, Any]:
        """As `roomcall.join` takes them."""
        return asdict(self)


def server_options(function: Command, *, default: str | None = None) -> Command:
    """For every command that connects, which gets them as `server: Server`. `default`: what it says
    of a server that is not given."""

    @click.option(
        "--server",
        default=DEFAULT_SERVER,
        show_default=default or True,
        callback=_checked_address,
        metavar="URL",
        help="The signaling server; a path prefix, https, ws and wss are fine.",
    )
    @click.option(
        "--ca-file",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Trust this authority's certificate (PEM) only.",
    )
    @click.option("--insecure", is_flag=True, help="Trust any certificate.")
    @functools.wraps(function)
    def command(*args: Any, server: str, ca_file: str | None, insecure: bool, **rest: Any) -> None:
        function(*args, server=Server(server, _trust(ca_file, insecure), ca_file), **rest)

    return command


def _checked_address(_: click.Context, __: click.Parameter, value: str) -> str:
    from roomcall.signaling.url import websocket_url

    try:
        websocket_url(value)
    except ValueError as error:
        raise click.BadParameter(f"{error} — give it as http://host:port") from None
    return value


def _trust(ca_file: str | None, insecure: bool) -> "ssl.SSLContext | Literal[False] | None":
    if ca_file is not None and insecure:
        raise click.UsageError("--ca-file and --insecure exclude each other")
    if insecure:
        write_warning("--insecure trusts any certificate: whoever is in between can read all of it")
        return False
    if ca_file is None:
        return None
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError):
        raise click.UsageError(f"{ca_file} holds no PEM certificate") from None


token_option = click.option(
    "--token", metavar="JWT", help="For the server; better by ROOMCALL_TOKEN."
)

reconnect_option = click.option(
    "--reconnect-for",
    type=click.FloatRange(min=0),
    default=60.0,
    metavar="SECONDS",
    help="How long a lost server is tried again; 0 is not at all.",
)


def access_options(function: Command) -> Command:
    """For commands that enter a room: `password`, `token`, `create`, `wait_if_full`."""

    @click.option("--password", metavar="TEXT", help="Of the room; better by ROOMCALL_PASSWORD.")
    @click.option(
        "--password-file",
        type=click.File(),
        metavar="FILE",
        help="Its first line is the password; - is stdin.",
    )
    @click.option("--password-prompt", is_flag=True, help="Ask for the password.")
    @token_option
    @click.option("--no-create", is_flag=True, help="Fail where there is no such room.")
    @click.option(
        "--wait-if-full", is_flag=True, help="Wait for a place where it is full or not open yet."
    )
    @reconnect_option
    @functools.wraps(function)
    def command(
        *args: Any,
        password: str | None,
        password_file: IO[str] | None,
        password_prompt: bool,
        no_create: bool,
        **rest: Any,
    ) -> None:
        if password_file is not None:
            password = password_file.readline().rstrip("\r\n")
        elif password_prompt:
            password = _ask_for_password()
        function(*args, password=password, create=not no_create, **rest)

    return command


def _ask_for_password() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("--password-prompt needs a terminal; use --password-file")
    answer: str = click.prompt("Password", hide_input=True, err=True)
    return answer


def media_options(function: Command, *, default: str = "none") -> Command:
    """For commands that send, which get them as `media: Media`. `default` is the picture's."""

    @click.option(
        "--video",
        metavar="SRC",
        help=f"A file, an address, webcam, screen, a device or testsrc.  [default: {default}]",
    )
    @click.option(
        "--audio",
        metavar="SRC",
        help="What to be heard: the same, or mic.  [default: the sound of --video]",
    )
    @click.option("--size", type=Size(), help="Scale the picture.")
    @click.option("--fps", type=click.FloatRange(1, 240), metavar="N", help="Pictures a second.")
    @click.option("--video-codec", type=click.Choice(["auto", "h264", "vp8"]), default="auto")
    @click.option("--video-bitrate", type=Bitrate(), help="Such as 500k or 2M.")
    @click.option("--audio-bitrate", type=Bitrate(), help="Such as 32k.")
    @click.option("--no-loop", is_flag=True, help="Leave at the end of a file.")
    @click.option(
        "--no-passthrough",
        is_flag=True,
        help="Encode everything, also what could go out as it is in the file.",
    )
    @functools.wraps(function)
    def command(
        *args: Any,
        video: str | None,
        audio: str | None,
        size: tuple[int, int] | None,
        fps: float | None,
        video_codec: Literal["auto", "h264", "vp8"],
        video_bitrate: int | None,
        audio_bitrate: int | None,
        no_loop: bool,
        no_passthrough: bool,
        **rest: Any,
    ) -> None:
        media = Media(
            video=video,
            audio=audio,
            video_size=size,
            fps=fps,
            video_codec=video_codec,
            video_bitrate=video_bitrate,
            audio_bitrate=audio_bitrate,
            loop=not no_loop,
            passthrough=not no_passthrough,
        )
        function(*args, media=media, **rest)

    return command


class IceServerURL(click.ParamType[dict[str, str]]):
    """`stun:HOST`, or `turn:USER:CREDENTIAL@HOST:PORT?transport=udp`, as a W3C `RTCIceServer`.

    RFC 7065 knows no user in a URL. What is special in one stands as %XX there. No message shows
    the credential.
    """

    name = "URL"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        if isinstance(value, dict):
            return value
        scheme, _, rest = str(value).partition(":")
        secret, at, host = rest.rpartition("@")
        user, colon, credential = secret.partition(":")
        if scheme not in ("stun", "stuns", "turn", "turns"):
            self.fail("it begins with none of stun: stuns: turn: turns:", param, ctx)
        if not host:
            self.fail(f"no host follows {scheme}:", param, ctx)
        if not at:
            return {"urls": f"{scheme}:{host}"}
        if not (scheme.startswith("turn") and user and colon and credential):
            self.fail(f"{scheme}:…@{host} is not turn:USER:CREDENTIAL@HOST", param, ctx)
        server = {"urls": f"{scheme}:{host}"}
        return server | {"username": unquote(user), "credential": unquote(credential)}


ice_server_option = click.option(
    "--ice-server",
    type=IceServerURL(),
    multiple=True,
    help="stun:HOST, or turn:USER:CREDENTIAL@HOST:PORT?transport=udp (or tcp), beside the server's"
    " own; repeatable. Secrets better by ROOMCALL_ICE_SERVER.",
)

network_option = click.option(
    "--network",
    type=NetworkConditions(),
    help="A bad network, such as delay=80ms,loss=2%,cut=5s+10s.",
)

expect_option = click.option(
    "--expect",
    type=ExpectationText(),
    multiple=True,
    help="What has to hold of each who is received, such as framesPerSecond.min>=20 or loss<1%;"
    " repeatable. Exits with 1 where it does not.",
)

bundle_option = click.option(
    "--bundle",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Leave there what is needed to understand a failure: SDP, candidates, statistics, logs; no"
    " secrets.",
)

json_option = click.option("--json", is_flag=True, help="One JSON object a line.")


def duration_option(text: str) -> Callable[[Command], Command]:
    return click.option("--duration", type=SECONDS, metavar="SECONDS", help=text)
