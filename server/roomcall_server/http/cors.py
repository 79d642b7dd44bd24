"""What pages of other web sites may ask of `/api`: those of the origins that may also connect.

See WHATWG Fetch, "CORS protocol". Cookies play no part: who is somebody says so by a header.
"""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from ..service import Service

OnPrepare = Callable[[web.Request, web.StreamResponse], Awaitable[None]]
_PREFLIGHT = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    asks = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    if request.method == hdrs.METH_OPTIONS and asks:
        return web.Response(status=204, headers=_PREFLIGHT)
    return await handler(request)


def signal(service: Service) -> OnPrepare:
    """To be called before a response is sent."""
    allowed = service.config.allow_origins

    async def allow(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and (origin in allowed or "*" in allowed):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "X-Request-Id, Location"

    return allow
