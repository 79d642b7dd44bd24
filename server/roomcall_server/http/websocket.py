"""`/ws`: one WebSocket, from its handshake to its end.

aiohttp does the handshake and reads frames; what we send goes out through `Connection`.
"""

from aiohttp import WSMsgType, web

from roomcall.protocol import replies
from roomcall.protocol.errors import ErrorCode

from ..clients.client import Client
from ..clients.connection import Connection
from ..clients.liveness import Pulse
from ..service import Service
from ..signaling import router
from . import origin

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
        socket = Socket(
            compress=False,
            autoping=False,
            autoclose=False,
            max_msg_size=service.config.max_message_bytes + 1,  # aiohttp refuses this very size
        )
        await socket.prepare(request)
        if request.transport is None:
            return socket
        with service.connection(request.transport) as connection:
            socket.connection = connection
            if refusal := service.refusal():
                connection.close(refusal)
            else:
                await _serve(service, socket, connection)
            await _part(socket, connection)
        return socket

    return [web.get("/ws", websocket)]


async def _part(socket: Socket, connection: Connection) -> None:
    """Give the client a while to answer our goodbye; what else it still says is not for us."""
    while (end := (await socket.receive()).type) not in _ENDS:
        pass
    if end is WSMsgType.ERROR:
        await connection.gone()
    connection.hang_up()


async def _serve(service: Service, socket: Socket, connection: Connection) -> None:
    client = await service.sessions.open(connection)
    connection.on_close = lambda: service.spawn(service.sessions.end(client))
    pulse = service.liveness.watch(client, connection)
    try:
        await _read(service, socket, client, connection, pulse)
    finally:
        if not service.closing:
            await service.sessions.end(client)


async def _read(
    service: Service,
    socket: Socket,
    client: Client,
    connection: Connection,
    pulse: Pulse,
) -> None:
    """Take message after message, each done with before the next, until either end has enough."""
    while True:
        message = await socket.receive()
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                async with client.turn:
                    if connection.close_code is not None:
                        return
                    pulse.busy = True
                    await _take(service, client, message.data)
                    pulse.busy = False
            case WSMsgType.PING:
                connection.pong(message.data)
            case WSMsgType.PONG:
                service.liveness.heard(pulse)
            case _:
                return


async def _take(service: Service, client: Client, frame: str | bytes) -> None:
    client.received += 1
    if isinstance(frame, str):
        await router.handle(service.context, client, frame)
    else:
        reason = "a binary frame: text is needed"
        client.send(replies.Error(code=ErrorCode.BAD_REQUEST, message=reason))
