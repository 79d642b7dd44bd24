"""All endpoints, and `/api/openapi.json`, which describes them."""

import msgspec
from aiohttp import web

from roomcall.protocol import VERSION

from ...service import Service
from . import endpoint, history, openapi, rooms

ENDPOINTS = (*rooms.ENDPOINTS, *history.ENDPOINTS)


def routes(service: Service) -> list[web.RouteDef]:
    described = msgspec.json.encode(openapi.describe(ENDPOINTS, str(VERSION)))

    async def description(request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json")

    return [
        web.get("/api/openapi.json", description),
        *endpoint.routes(service, ENDPOINTS),
    ]
