"""An endpoint of `/api`: described once, for the router and for the OpenAPI description."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

from roomcall.protocol import codec
from roomcall.protocol.depth import MAX_DEPTH, too_deep
from roomcall.protocol.errors import ErrorCode

from ...logs import get_logger
from ...rooms.outcome import Refused
from ...service import Service
from ...store.base import StoreAway, StoreUncertain
from ..requestlog import ADDRESS
from . import access

log = get_logger("api")

PREFIX = "/api"
_STATUS: dict[str, int] = {
    ErrorCode.BAD_JSON: 400,
    ErrorCode.BAD_REQUEST: 400,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.ROOM_NOT_FOUND: 404,
    ErrorCode.PEER_NOT_FOUND: 404,
    ErrorCode.NAME_TAKEN: 409,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.TOO_MANY_ROOMS: 503,
}


class Failure(Struct, frozen=True):
    """What every answer but a good one says. `code` is one of the protocol's error codes, or
    `unauthorized`, `not-found`, `method-not-allowed`."""

    code: str
    message: str


class NoQuery(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True)
class Asked:
    """What an endpoint works with. `query` and `body` are of the types that it names."""

    service: Service
    caller: access.Caller
    path: dict[str, str] = field(default_factory=dict)
    query: Any = None
    body: Any = None

    def require_admin(self) -> None:
        access.require_admin(self.service, self.caller)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`handle` returns a value of the type `reply`; None is an empty answer."""

    method: str
    path: str
    summary: str
    handle: Callable[[Asked], Awaitable[Any]]
    reply: Any = None
    status: int = 200
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    admin: bool = False


def routes(service: Service, endpoints: Iterable[Endpoint]) -> list[web.RouteDef]:
    """Below `PREFIX`."""
    return [
        web.route(one.method, one.path.removeprefix(PREFIX), _handler(service, one))
        for one in endpoints
    ]


def _handler(service: Service, endpoint: Endpoint) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        if not service.addresses.may_ask(request[ADDRESS], now):
            raise Refused(ErrorCode.RATE_LIMITED, "too many requests a second from your address")
        caller = _caller(service, endpoint, request)
        asked = Asked(
            service,
            caller,
            dict(request.match_info),
            msgspec.convert(dict(request.query), endpoint.query, strict=False),
            await _body(request, endpoint.body),
        )
        reply = await endpoint.handle(asked)
        await service.context.store.publish(())  # what it shows is kept by then
        if reply is None:
            return web.Response(status=204)
        return _json(reply, endpoint.status)

    return handle


def _caller(service: Service, endpoint: Endpoint, request: web.Request) -> access.Caller:
    if endpoint.admin and not service.config.admin_token:
        access.require_admin(service, access.NOBODY)
    caller = access.identify(service, access.bearer(request))
    if endpoint.admin:
        access.require_admin(service, caller)
    return caller


async def _body(request: web.Request, type: type[Struct] | None) -> Any:
    if type is None:
        return None
    body = await request.read()
    if too_deep(body.decode(errors="replace")):
        raise Refused(ErrorCode.BAD_REQUEST, f"nested deeper than {MAX_DEPTH} levels")
    return msgspec.json.decode(body, type=type)


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is said in JSON."""
    try:
        return await handler(request)
    except Refused as error:
        return _failure(error.code, error.message)
    except msgspec.ValidationError as error:
        return _failure(ErrorCode.BAD_REQUEST, codec.in_words(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _failure(ErrorCode.BAD_JSON, f"not JSON: {error}")
    except StoreUncertain:
        text = "it cannot be told whether this was kept: look before you try again"
        return _failure(ErrorCode.INTERNAL, text, 503)
    except StoreAway:
        return _failure(ErrorCode.INTERNAL, "nothing can be kept just now: try again later", 503)
    except access.Forbidden as error:
        return _failure(ErrorCode.FORBIDDEN, str(error))
    except access.Unauthorized:
        challenge = {"WWW-Authenticate": "Bearer"}
        return _failure("unauthorized", "a valid token is needed", 401, challenge)
    except web.HTTPRequestEntityTooLarge as error:
        return _failure(ErrorCode.PAYLOAD_TOO_LARGE, error.reason)
    except web.HTTPMethodNotAllowed as error:
        allow = {"Allow": error.headers["Allow"]}
        return _failure("method-not-allowed", "not by this method", error.status, allow)
    except web.HTTPNotFound as error:
        return _failure("not-found", "there is nothing at this path", error.status)
    except web.HTTPException as error:
        return _failure(ErrorCode.BAD_REQUEST, error.reason, error.status)
    except Exception:
        log.exception("request failed", path=request.rel_url.raw_path)
        return _failure(ErrorCode.INTERNAL, "the server has made a mistake")


def _failure(
    code: str, message: str, status: int | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    return _json(Failure(code, message), status or _STATUS.get(code, 409), headers)


def _json(value: Any, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
