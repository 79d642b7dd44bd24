"""`/healthz` and `/readyz`: for whoever watches the process."""

from aiohttp import web

from ..service import Service


def routes(service: Service) -> list[web.RouteDef]:
    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(request: web.Request) -> web.Response:
        if service.closing:
            return web.json_response({"status": "shutting down"}, status=503)
        if not service.store_available:
            return web.json_response({"status": "store away"}, status=503)
        return web.json_response({"status": "ready"})

    return [web.get("/healthz", health), web.get("/readyz", ready)]
