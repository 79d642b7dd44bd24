"""`/ws`: one WebSocket, from its handshake to its end.

After the handshake `Link` reads, and what we send goes out through `Connection`.
"""

from base64 import b64encode
from hashlib import sha1
from typing import cast

from aiohttp import hdrs, web
from aiohttp.http import WebSocketReader

from roomcall.protocol.errors import CloseCode

from ..clients.connection import Connection
from ..clients.liveness import Pulse
from ..clients.session import Grant
from ..clients.sessions import Arrival
from ..service import Service
from ..signaling import router
from ..store.base import StoreAway
from . import origin
from .api.access import bearer
from .link import Link
from .requestlog import ADDRESS

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def routes(service: Service) -> list[web.RouteDef]:
    async def websocket(request: web.Request) -> web.StreamResponse:
        allow = service.config.allow_origins
        if not origin.allowed(request.headers.get("Origin"), request.host, allow):
            raise web.HTTPForbidden(text="this origin is not allowed")
        if service.closing:
            raise web.HTTPServiceUnavailable(text="this server is shutting down")
        if not service.store_available:
            raise web.HTTPServiceUnavailable(text="nothing can be kept just now: try again later")
        answer = _handshake(request)
        await answer.prepare(request)
        transport = request.transport
        if transport is None:
            return answer
        link = Link(transport, service.cork, service.config.max_message_bytes)
        # It has kept what came in one packet with the request.
        request.protocol.set_parser(cast("WebSocketReader", link))
        request.protocol.keep_alive(False)
        connection = service.connect(transport, request[ADDRESS])
        try:
            if connection.close_code is None:
                await _serve(service, link, connection, request)
            if connection.close_code is not None:
                await _part(link, connection)
            connection.hang_up()
        finally:
            await link.close()
            service.disconnect(connection, request[ADDRESS])
        return answer

    return [web.get("/ws", websocket)]


def _handshake(request: web.Request) -> web.StreamResponse:
    """See RFC 6455 section 4.2.2. aiohttp's own answer would keep a reader that nobody needs."""
    if not web.WebSocketResponse().can_prepare(request):
        raise web.HTTPBadRequest(text="this is for WebSockets")
    key = request.headers[hdrs.SEC_WEBSOCKET_KEY].encode()
    headers = {
        hdrs.UPGRADE: "websocket",
        hdrs.CONNECTION: "Upgrade",
        hdrs.SEC_WEBSOCKET_ACCEPT: b64encode(sha1(key + _GUID).digest()).decode(),
    }
    answer = web.StreamResponse(status=101, headers=headers)
    answer.force_close()  # no request follows
    return answer


async def _serve(
    service: Service, link: Link, connection: Connection, request: web.Request
) -> None:
    """Until either end has enough."""
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
    goodbye = False
    try:
        link.serve(connection, _Messages(service, service.liveness.watch(client, connection)))
        goodbye = await link.ended
    finally:
        await service.sessions.depart(client, connection, goodbye=goodbye)


class _Messages:
    """What comes on one connection, to the router."""

    __slots__ = ("_pulse", "_service")

    def __init__(self, service: Service, pulse: Pulse) -> None:
        self._service = service
        self._pulse = pulse

    async def take(self, message: str | bytes, size: int) -> None:
        pulse, service = self._pulse, self._service
        client = pulse.client
        await client.turn.acquire()  # `async with` would cost twice as much
        try:
            if pulse.connection.close_code is not None:
                return
            pulse.busy = True
            client.received += 1
            now = service.time()
            if client.rate.take(now, size):
                await router.handle(service.context, client, message)
                service.figures.handled.observe(service.time() - now)
            elif not client.rate.exhausted(now):
                router.over_rate(service.context, client, message)
            else:
                pulse.connection.close(CloseCode.RATE_LIMITED)
            pulse.busy = False
        finally:
            client.turn.release()

    def heard(self, payload: bytes) -> None:
        self._service.liveness.heard(self._pulse, payload)


class _Nobody:
    """Takes no more messages."""

    async def take(self, message: str | bytes, size: int) -> None:
        pass

    def heard(self, payload: bytes) -> None:
        pass


async def _part(link: Link, connection: Connection) -> None:
    """Give the client a while to answer our goodbye; what else it still says is not for us."""
    link.serve(connection, _Nobody())
    await link.ended  # bounded: it is cut after the close timeout


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
