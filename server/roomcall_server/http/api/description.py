"""`/api`: all endpoints, and `/api/openapi.json`, which describes them."""

import msgspec
from aiohttp import web

from roomcall.protocol import VERSION

from ...service import Service
from .. import cors
from . import endpoint, history, openapi, rooms

ENDPOINTS = (*rooms.ENDPOINTS, *history.ENDPOINTS)


def application(service: Service) -> web.Application:
    """With what its requests need around them, and those to `/ws` do not."""
    described = msgspec.json.encode(openapi.describe(ENDPOINTS, str(VERSION)))

    async def description(request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json")

    app = web.Application(middlewares=[endpoint.explained, cors.preflight])
    app.on_response_prepare.append(cors.signal(service))
    app.add_routes([web.get("/openapi.json", description), *endpoint.routes(service, ENDPOINTS)])
    return app
