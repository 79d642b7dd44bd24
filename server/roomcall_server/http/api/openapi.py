"""The OpenAPI 3.1 description of the endpoints, made from their types. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from .endpoint import Endpoint, Failure, NoQuery

_REF = "#/components/schemas/{name}"


def describe(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    schemas, components = msgspec.json.schema_components(_types(endpoints), ref_template=_REF)
    found = dict(zip(map(_key, _types(endpoints)), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "roomcall", "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "It is so"}
    if endpoint.reply is not None:
        good["content"] = _content(schemas[_key(endpoint.reply)])
    failure = {
        "description": "It is not: why",
        "content": _content(schemas[_key(Failure)]),
    }
    status = 204 if endpoint.reply is None else endpoint.status
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "parameters": [*_path(endpoint.path), *_query(endpoint)],
        "responses": {str(status): good, "default": failure},
        # Somebody without a token is enough where none is demanded.
        "security": [{"bearer": []}] if endpoint.admin else [{}, {"bearer": []}],
    }
    if endpoint.body is not None:
        content = _content(schemas[_key(endpoint.body)])
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _types(endpoints: Iterable[Endpoint]) -> list[Any]:
    named: dict[str, Any] = {_key(Failure): Failure}
    for endpoint in endpoints:
        for one in (endpoint.reply, endpoint.body):
            if one is not None:
                named[_key(one)] = one
    return list(named.values())


def _key(one: Any) -> str:
    return str(one)


def _content(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is NoQuery:
        return []
    (_,), components = msgspec.json.schema_components([endpoint.query], ref_template=_REF)
    properties = components[endpoint.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
