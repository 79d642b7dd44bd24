"""One WebSocket to a roomcall server: opened, greeted, and its end explained."""

import asyncio
import ssl as ssl_module
from typing import Self

import aiohttp
import msgspec

from ..errors import ProtocolError, Refused, ServerUnreachable
from ..protocol import codec
from ..protocol.errors import REFUSED_CLOSE_CODES, CloseCode
from ..protocol.replies import ClientId
from .url import has_user, websocket_url, without_user

CONNECT_TIMEOUT = 10.0

SSLOption = ssl_module.SSLContext | bool | None

# Who was told one of these does not come back by itself.
_FINAL = {**REFUSED_CLOSE_CODES, CloseCode.TAKEN_OVER: "taken-over"}


class ServerSocket:
    """Frames to and from the server, and their count. `hello` is its first message.

    `acknowledged` is how many of the frames sent so far have arrived, as far as `ping` has asked.
    """

    def __init__(
        self, server: str, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.hello: ClientId
        self.acknowledged = 0
        self._server = server
        self._session = session
        self._socket = socket

    @classmethod
    async def open(
        cls,
        server: str,
        *,
        token: str | None = None,
        ssl: SSLOption = None,
        resume: str | None = None,
        received: int = 0,
    ) -> Self:
        """Connect, as somebody new, or to `resume` an id that has `received` so many messages.

        Raises `ServerUnreachable`, `ProtocolError`, or `Refused` where the server takes nobody in.
        """
        try:
            url = websocket_url(server)
        except ValueError as error:
            raise ServerUnreachable(f"{error} — give it as http://host:port") from None
        if token is not None and has_user(server):
            shown = without_user(server)
            raise ServerUnreachable(
                f"{shown} takes a token or a user with password, not both — leave one of them out"
            )
        # In a header, and not in the URL, which ends up in logs.
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        query = {} if resume is None else {"resume": resume, "received": str(received)}
        session = aiohttp.ClientSession(trust_env=True, headers=headers)
        try:
            # Pings are not answered for us: they say how much must have arrived before them.
            async with asyncio.timeout(CONNECT_TIMEOUT):
                socket = await session.ws_connect(
                    url,
                    params=query,
                    ssl=True if ssl is None else ssl,
                    max_msg_size=0,
                    autoping=False,
                )
            self = cls(without_user(server), session, socket)
            self.hello = await self._hello()
        except BaseException as error:
            await session.close()
            raise _explained(without_user(server), error) from None
        return self

    async def _hello(self) -> ClientId:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                while (frame := await self.receive()) is None:
                    pass
        except TimeoutError:
            raise ProtocolError(f"{self._server} says nothing — is it a roomcall server?") from None
        try:
            reply = codec.decode_reply(frame)
        except msgspec.DecodeError:
            reply = None
        if not isinstance(reply, ClientId):
            raise ProtocolError(
                f"{self._server} does not begin with client-id — is it a roomcall server?"
            )
        return reply

    async def send(self, frame: bytes) -> None:
        """Raises `ServerUnreachable` where the line is known to be broken."""
        try:
            await self._socket.send_str(frame.decode())
        except (aiohttp.ClientError, ConnectionError):
            raise ServerUnreachable(f"{self._server} was lost") from None

    async def ping(self, count: int) -> None:
        """Have the server tell when the first `count` frames have arrived. Raises as `send`."""
        try:
            await self._socket.ping(str(count).encode())
        except (aiohttp.ClientError, ConnectionError):
            raise ServerUnreachable(f"{self._server} was lost") from None

    async def receive(self, timeout: float | None = None) -> str | None:
        """The next message; None for a sign of life that is none.

        Raises `TimeoutError`, `ServerUnreachable` where the line is lost and `Refused` where the
        server has ended it for good.
        """
        frame = await self._socket.receive(timeout)
        match frame.type:
            case aiohttp.WSMsgType.TEXT:
                text: str = frame.data
                return text
            case aiohttp.WSMsgType.PING:
                try:
                    await self._socket.pong(frame.data)
                except (aiohttp.ClientError, ConnectionError):
                    raise ServerUnreachable(f"{self._server} was lost") from None
            case aiohttp.WSMsgType.PONG if frame.data.isdigit() and len(frame.data) < 20:
                self.acknowledged = int(frame.data)
            case aiohttp.WSMsgType.PONG | aiohttp.WSMsgType.BINARY:
                pass
            case _:
                raise self._ended()
        return None

    def _ended(self) -> ServerUnreachable | Refused:
        code = self._socket.close_code
        name = None if code is None else _FINAL.get(code)
        if name is not None:
            return Refused(name, f"{self._server} closed the connection: {name} ({code})")
        return ServerUnreachable(f"{self._server} closed the connection ({code})")

    async def close(self) -> None:
        """Say goodbye: the server takes it for a leave."""
        await self._socket.close()
        await self._session.close()

    async def abandon(self) -> None:
        """Let go of a line that is lost, without a goodbye: its id may be resumed."""
        await self._session.close()
        await self._socket.close()  # which cannot send any more, and only gives back what it holds


def _explained(server: str, error: BaseException) -> BaseException:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return ServerUnreachable(
                f"the certificate of {server} is not trusted ({error.certificate_error})"
                " — name its authority with --ca-file"
            )
        case aiohttp.WSServerHandshakeError(status=503):
            return ServerUnreachable(f"{server} takes nobody in just now — try again later")
        case aiohttp.WSServerHandshakeError():
            return ProtocolError(
                f"{server} answers {error.status} instead of a WebSocket — is it a roomcall server?"
            )
        case aiohttp.ClientError() | OSError() | TimeoutError():
            return ServerUnreachable(
                f"{server} cannot be reached — is `roomcall serve` running there?"
            )
        case _:
            return error
