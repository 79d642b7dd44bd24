"""A line for each request that was answered, by an id that its client gets to know.

What a client sends is not in it: of the address asked for only the path, since secrets may stand
in the query.
"""

import asyncio
import logging
import re
from uuid import uuid4

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from structlog.contextvars import bind_contextvars

from ..logs import ROOT, get_logger
from ..service import Service
from .forwarded import client_address

ADDRESS = web.RequestKey("address", str)  # of the client, past the proxies that are trusted
_ID = web.RequestKey("id", str)
_HEADER = "X-Request-Id"
_LONGEST_PATH = 200

logger = logging.getLogger(f"{ROOT}.http")  # of the HTTP server below us: our mistakes
log = get_logger("requests")


def middleware(service: Service) -> Middleware:
    proxies = service.config.proxies()

    @web.middleware
    async def named(request: web.Request, handler: Handler) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        began = loop.time()
        forwarded = request.headers.getall("X-Forwarded-For", ())
        request[ADDRESS] = client_address(request.remote or "", forwarded, proxies)
        request[_ID] = _id(request)
        status = 499  # as others write it: the client has not waited for the answer
        bind_contextvars(request=request[_ID])  # the task is this request's alone
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        except Exception:
            status = 500
            raise
        finally:
            log.info(
                "answered",
                method=request.method,
                path=request.rel_url.raw_path[:_LONGEST_PATH],
                status=status,
                seconds=round(loop.time() - began, 4),
                address=request[ADDRESS],
            )
        return response

    return named


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Tell the client under which id its request is logged."""
    if _ID in request:
        response.headers[_HEADER] = request[_ID]


def _id(request: web.Request) -> str:
    """That of the proxy or the client, where it is harmless in a log."""
    given = request.headers.get(_HEADER, "")
    return given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else uuid4().hex


def _is_ours(record: logging.LogRecord) -> bool:
    """What is no HTTP is answered with 400. A traceback for each would fill the log, with pieces
    of what was sent, and that may be a token."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


logger.addFilter(_is_ours)
