"""A server asked over HTTP with its admin token."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import click
import msgspec

from roomcall.errors import ProtocolError, Refused, ServerUnreachable
from roomcall.signaling.room import is_room_id
from roomcall.signaling.url import http_url, without_user

from .options import Server

_TIMEOUT = aiohttp.ClientTimeout(total=30)


class _Failure(msgspec.Struct):
    code: str
    message: str


class Admin:
    """Raises `ServerUnreachable`, `ProtocolError` or `Refused`, whatever it is asked."""

    def __init__(self, server: Server, token: str | None) -> None:
        self._url = http_url(server.url)
        self._shown = without_user(self._url)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._session = aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT, trust_env=True)
        self._ssl = True if server.ssl is None else server.ssl

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(
        self, method: str, *path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Any:
        """The answer, or None where it is empty. `path`: its parts below `/api`."""
        url = "/".join((self._url, "api", *(quote(part, safe="") for part in path)))
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self._session.request(
                method, url, params=query, data=data, ssl=self._ssl
            ) as response:
                status, answer = response.status, await response.read()
        except aiohttp.ClientConnectorCertificateError as error:
            raise ServerUnreachable(
                f"the certificate of {self._shown} is not trusted ({error.certificate_error})"
                " — name its authority with --ca-file"
            ) from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise ServerUnreachable(
                f"{self._shown} cannot be reached — is `roomcall serve` running there?"
            ) from None
        try:
            if status < 400:
                return msgspec.json.decode(answer) if answer else None
            failure = msgspec.json.decode(answer, type=_Failure)
        except msgspec.DecodeError:
            raise ProtocolError(
                f"{self._shown} answers {status} without a reason — is it a roomcall server?"
            ) from None
        raise Refused(failure.code, self._said(failure))

    def _said(self, failure: _Failure) -> str:
        text = f"{self._shown}: {failure.code}: {failure.message}"
        if failure.code in ("unauthorized", "forbidden") and " — " not in text:
            text += " — give the server's admin token with ROOMCALL_ADMIN_TOKEN"
        return text

    async def room_id(self, room: str) -> str:
        """Of a room by id or by name, private ones too. Raises `click.UsageError` where several
        have that name."""
        if is_room_id(room):
            return room.lower()
        found = (await self.ask("GET", "rooms", query={"name": room}))["rooms"]
        if not found:
            raise Refused("room-not-found", f"room-not-found: {self._shown} has no room {room!r}")
        if len(found) > 1:
            ids = ", ".join(row["id"] for row in found)
            raise click.UsageError(f"{len(found)} rooms have the name {room!r} — give an id: {ids}")
        return str(found[0]["id"])

    async def member_id(self, room: str, member: str) -> str:
        """Of a member by id or by name. Raises as `room_id`."""
        members = (await self.ask("GET", "rooms", room))["members"]
        found = [one["id"] for one in members if member in (one["id"], one["displayName"])]
        if not found:
            raise Refused("peer-not-found", f"peer-not-found: {member!r} is not in this room")
        if len(found) > 1:
            ids = ", ".join(found)
            raise click.UsageError(
                f"{len(found)} members are called {member!r} — give an id: {ids}"
            )
        return str(found[0])
