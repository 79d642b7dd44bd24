"""`/ws`: one WebSocket, from its handshake to its end.

aiohttp does the handshake and reads frames; what we send goes out through `Connection`.
"""

import asyncio

from aiohttp import WSMsgType, web

from roomcall.protocol.errors import CloseCode

from ..clients.client import Client
from ..clients.connection import Connection
from ..clients.liveness import Pulse
from ..clients.session import Grant
from ..clients.sessions import Arrival
from ..service import Service
from ..signaling import router
from ..store.base import StoreAway
from . import origin
from .api.access import bearer
from .requestlog import ADDRESS

_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class Socket(web.WebSocketResponse):
    """The receiving half of a WebSocket. Saying goodbye is left to its `connection`.

    aiohttp calls `close` on a frame that it cannot take, and would hang up on data that is still
    coming: then the client may see a reset in the place of 1009.
    """

    connection: Connection | None = None

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if self.connection is not None:
            self.connection.close(code)
        return True


def routes(service: Service) -> list[web.RouteDef]:
    async def websocket(request: web.Request) -> web.StreamResponse:
        allow = service.config.allow_origins
        if not origin.allowed(request.headers.get("Origin"), request.host, allow):
            raise web.HTTPForbidden(text="this origin is not allowed")
        if not service.store_available:
            raise web.HTTPServiceUnavailable(text="nothing can be kept just now: try again later")
        socket = Socket(
            compress=False,
            autoping=False,
            autoclose=False,
            max_msg_size=service.config.max_message_bytes + 1,  # aiohttp refuses this very size
        )
        await socket.prepare(request)
        if request.transport is None:
            return socket
        with service.connection(request.transport, request[ADDRESS]) as connection:
            socket.connection = connection
            if connection.close_code is None:
                await _serve(service, socket, connection, request)
            await _part(socket, connection)
        return socket

    return [web.get("/ws", websocket)]


async def _serve(
    service: Service, socket: Socket, connection: Connection, request: web.Request
) -> None:
    tokens = service.context.tokens
    grant = Grant() if tokens is None else tokens.read(_token(request))
    if grant is None:
        return connection.close(CloseCode.UNAUTHORIZED)
    try:
        client = await service.sessions.arrive(connection, _arrival(request, grant))
    except StoreAway:
        return connection.close(CloseCode.GOING_AWAY)  # it comes again
    if client is None:
        return connection.close(CloseCode.SERVER_FULL)
    pulse = service.liveness.watch(client, connection)
    goodbye = False
    try:
        goodbye = await _read(service, socket, client, connection, pulse)
    finally:
        await service.sessions.depart(client, connection, goodbye=goodbye)


async def _read(
    service: Service, socket: Socket, client: Client, connection: Connection, pulse: Pulse
) -> bool:
    """Take message after message, each done with before the next, until either end has enough.

    True where the client has said goodbye.
    """
    while True:
        message = await socket.receive()
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                async with client.turn:
                    if connection.close_code is not None:
                        return False
                    pulse.busy = True
                    await _take(service, client, message.data)
                    pulse.busy = False
            case WSMsgType.PING:
                connection.pong(message.data)
            case WSMsgType.PONG:
                service.liveness.heard(pulse, message.data)
            case end:
                return end is WSMsgType.CLOSE and connection.close_code is None


async def _take(service: Service, client: Client, frame: str | bytes) -> None:
    client.received += 1
    loop = asyncio.get_running_loop()
    now = loop.time()
    if client.rate.take(now, frame):
        await router.handle(service.context, client, frame)
        service.figures.handled.observe(loop.time() - now)
    elif not client.rate.exhausted(now):
        router.over_rate(service.context, client, frame)
    elif client.connection is not None:
        client.connection.close(CloseCode.RATE_LIMITED)


async def _part(socket: Socket, connection: Connection) -> None:
    """Give the client a while to answer our goodbye; what else it still says is not for us."""
    while (end := (await socket.receive()).type) not in _ENDS:
        pass
    if end is WSMsgType.ERROR:
        await connection.gone()
    connection.hang_up()


def _token(request: web.Request) -> str | None:
    return bearer(request) or request.query.get("token")


def _arrival(request: web.Request, grant: Grant) -> Arrival:
    received = request.query.get("received", "")
    is_count = received.isascii() and received.isdigit() and len(received) < 20
    return Arrival(
        grant=grant,
        address=request[ADDRESS],
        direct=request.query.get("mode") == "direct",
        resume=request.query.get("resume"),
        received=int(received) if is_count else None,
    )
